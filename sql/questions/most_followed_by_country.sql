-- name: most_followed_by_country
-- description: The person with most followers in each country; of equals the alphabetically first poster name, marked as tied.
-- columns: country, poster_name, follower_count, tied
SELECT country, poster_name, follower_count, tied
FROM (
  SELECT
    country,
    poster_name,
    follower_count,
    row_number() OVER (PARTITION BY country ORDER BY follower_count DESC, poster_name) AS place,
    count(*) OVER (PARTITION BY country, follower_count) > 1 AS tied
  FROM people
  WHERE country IS NOT NULL AND poster_name IS NOT NULL AND follower_count IS NOT NULL
) AS placed
WHERE place = 1
ORDER BY country;
