-- name: category_by_country
-- description: The category with most posts in each country; of equals the alphabetically first, marked as tied.
-- columns: country, category, category_count, tied
SELECT country, category, category_count, tied
FROM (
  SELECT
    country,
    category,
    category_count,
    row_number() OVER (PARTITION BY country ORDER BY category_count DESC, category) AS place,
    count(*) OVER (PARTITION BY country, category_count) > 1 AS tied
  FROM (
    SELECT country, category, count(*) AS category_count
    FROM posts
    WHERE country IS NOT NULL AND category IS NOT NULL
    GROUP BY country, category
  ) AS counted
) AS placed
WHERE place = 1
ORDER BY country;
