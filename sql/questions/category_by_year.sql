-- name: category_by_year
-- description: The category with most posts in each year from 2018 to 2022; of equals the alphabetically first, marked as tied.
-- columns: post_year, category, category_count, tied
SELECT post_year, category, category_count, tied
FROM (
  SELECT
    post_year,
    category,
    category_count,
    row_number() OVER (PARTITION BY post_year ORDER BY category_count DESC, category) AS place,
    count(*) OVER (PARTITION BY post_year, category_count) > 1 AS tied
  FROM (
    SELECT pf_year(timestamp) AS post_year, category, count(*) AS category_count
    FROM posts
    WHERE pf_year(timestamp) BETWEEN 2018 AND 2022 AND category IS NOT NULL
    GROUP BY pf_year(timestamp), category
  ) AS counted
) AS placed
WHERE place = 1
ORDER BY post_year;
