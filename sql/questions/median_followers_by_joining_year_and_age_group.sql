-- name: median_followers_by_joining_year_and_age_group
-- description: The median follower count (lower median) of the people of each age group who joined in each year from 2015 to
--   2020. post_year is the year of joining; the task names it so.
-- columns: age_group, post_year, median_follower_count
SELECT
  age_group,
  pf_year(date_joined) AS post_year,
  CAST(percentile_disc(0.5) WITHIN GROUP (ORDER BY follower_count) AS BIGINT) AS median_follower_count
FROM people
WHERE age_group IS NOT NULL AND pf_year(date_joined) BETWEEN 2015 AND 2020
GROUP BY age_group, pf_year(date_joined)
ORDER BY age_group, post_year;
