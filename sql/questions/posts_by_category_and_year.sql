-- name: posts_by_category_and_year
-- description: How many posts each category had in each year from 2018 to 2022, the largest first within a year.
-- columns: post_year, category, category_count
SELECT pf_year(timestamp) AS post_year, category, count(*) AS category_count
FROM posts
WHERE pf_year(timestamp) BETWEEN 2018 AND 2022 AND category IS NOT NULL
GROUP BY pf_year(timestamp), category
ORDER BY post_year, category_count DESC, category;
