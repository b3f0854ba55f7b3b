-- name: median_followers_by_age_group
-- description: The median follower count of the people of each age group: the lower median, which is a count that somebody has; people
--   whose count is unknown are left out.
-- columns: age_group, median_follower_count
SELECT age_group, CAST(percentile_disc(0.5) WITHIN GROUP (ORDER BY follower_count) AS BIGINT) AS median_follower_count
FROM people
WHERE age_group IS NOT NULL
GROUP BY age_group
ORDER BY age_group;
