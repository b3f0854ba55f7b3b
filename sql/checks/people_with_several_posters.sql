-- name: people_with_several_posters
-- description: People whose posts carry more than one poster name or come from more than one country; in sound data both are one.
-- columns: user_name, age, date_joined, poster_names, countries
SELECT
  user_name,
  age,
  date_joined,
  count(DISTINCT poster_name) AS poster_names,
  count(DISTINCT country) AS countries
FROM posts
WHERE user_name IS NOT NULL
GROUP BY user_name, age, date_joined
HAVING min(poster_name) <> max(poster_name) OR min(country) <> max(country)
ORDER BY poster_names DESC, countries DESC, user_name, age, date_joined;
