-- name: posts
-- description: Every post with its place, time and user; null where their records have not arrived.
-- columns: ind, unique_id, title, description, follower_count, poster_name, tag_list, is_image_or_video, image_src, save_location, category, country, coordinates, timestamp, user_name, age, age_group, date_joined
SELECT
  pin.ind,
  pin.unique_id,
  pin.title,
  pin.description,
  pin.follower_count,
  pin.poster_name,
  pin.tag_list,
  pin.is_image_or_video,
  pin.image_src,
  pin.save_location,
  pin.category,
  geo.country,
  geo.coordinates,
  geo.timestamp,
  who.user_name,
  who.age,
  CASE
    WHEN who.age BETWEEN 18 AND 24 THEN '18-24'
    WHEN who.age BETWEEN 25 AND 35 THEN '25-35'
    WHEN who.age BETWEEN 36 AND 50 THEN '36-50'
    WHEN who.age > 50 THEN '50+'
  END AS age_group,
  who.date_joined
FROM latest_pin AS pin
LEFT JOIN latest_geo AS geo ON geo.ind = pin.ind
LEFT JOIN latest_user AS who ON who.ind = pin.ind;
