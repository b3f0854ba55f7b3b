-- name: people
-- description: One row per person, who is a name, an age and a moment of joining. Poster name, follower count and country are those of the
--   person's latest post, by the post's own time, that has them; so the order of arrival changes nothing.
-- columns: user_name, age, age_group, date_joined, poster_name, follower_count, country, post_count
SELECT
  who.user_name,
  who.age,
  CASE
    WHEN who.age BETWEEN 18 AND 24 THEN '18-24'
    WHEN who.age BETWEEN 25 AND 35 THEN '25-35'
    WHEN who.age BETWEEN 36 AND 50 THEN '36-50'
    WHEN who.age > 50 THEN '50+'
  END AS age_group,
  who.date_joined,
  max_by(pin.poster_name, pf_at(geo.timestamp, who.ind)) FILTER (WHERE pin.poster_name IS NOT NULL) AS poster_name,
  max_by(pin.follower_count, pf_at(geo.timestamp, who.ind)) FILTER (WHERE pin.follower_count IS NOT NULL) AS follower_count,
  max_by(geo.country, pf_at(geo.timestamp, who.ind)) FILTER (WHERE geo.country IS NOT NULL) AS country,
  count(pin.ind) AS post_count
FROM latest_user AS who
LEFT JOIN latest_pin AS pin ON pin.ind = who.ind
LEFT JOIN latest_geo AS geo ON geo.ind = who.ind
WHERE who.user_name IS NOT NULL OR who.age IS NOT NULL OR who.date_joined IS NOT NULL
GROUP BY who.user_name, who.age, who.date_joined;
