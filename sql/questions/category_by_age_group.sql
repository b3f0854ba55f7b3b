-- name: category_by_age_group
-- description: The category with most posts in each age group; of equals the alphabetically first, marked as tied.
-- columns: age_group, category, category_count, tied
SELECT age_group, category, category_count, tied
FROM (
  SELECT
    age_group,
    category,
    category_count,
    row_number() OVER (PARTITION BY age_group ORDER BY category_count DESC, category) AS place,
    count(*) OVER (PARTITION BY age_group, category_count) > 1 AS tied
  FROM (
    SELECT age_group, category, count(*) AS category_count
    FROM posts
    WHERE age_group IS NOT NULL AND category IS NOT NULL
    GROUP BY age_group, category
  ) AS counted
) AS placed
WHERE place = 1
ORDER BY age_group;
