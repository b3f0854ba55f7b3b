-- name: country_of_most_followed
-- description: The country of the person with most followers; if people of several countries have as many, the
--   alphabetically first, marked as tied.
-- columns: country, follower_count, tied
SELECT min(country) AS country, follower_count, count(DISTINCT country) > 1 AS tied
FROM people
WHERE country IS NOT NULL AND poster_name IS NOT NULL AND follower_count IS NOT NULL
GROUP BY follower_count
ORDER BY follower_count DESC
LIMIT 1;
