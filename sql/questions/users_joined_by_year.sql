-- name: users_joined_by_year
-- description: How many people joined in each year from 2015 to 2020. post_year is the year of joining; the task names it so.
-- columns: post_year, number_users_joined
SELECT pf_year(date_joined) AS post_year, count(*) AS number_users_joined
FROM people
WHERE pf_year(date_joined) BETWEEN 2015 AND 2020
GROUP BY pf_year(date_joined)
ORDER BY post_year;
