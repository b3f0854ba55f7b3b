-- name: people_with_several_posters
-- description: People whose posts carry more than one poster name or come from more than one country; in sound data both are one.
-- columns: user_name, age, date_joined, a_poster_name, another_poster_name, a_country, another_country
SELECT
  user_name,
  age,
  date_joined,
  min(poster_name) AS a_poster_name,
  max(poster_name) AS another_poster_name,
  min(country) AS a_country,
  max(country) AS another_country
FROM posts
WHERE user_name IS NOT NULL
GROUP BY user_name, age, date_joined
HAVING min(poster_name) <> max(poster_name) OR min(country) <> max(country)
ORDER BY user_name, age, date_joined;
