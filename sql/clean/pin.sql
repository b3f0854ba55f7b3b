-- name: pin
-- description: Posts: text that stands for "nothing" becomes null, follower counts become numbers, save_location keeps the path.
-- columns: ind, unique_id, title, description, follower_count, poster_name, tag_list, is_image_or_video, image_src, save_location, category, source_topic, source_partition, source_offset, arrived_at
SELECT
  CAST(index AS BIGINT) AS ind,
  pf_text(unique_id) AS unique_id,
  CASE WHEN title = 'No Title Data Available' THEN NULL ELSE pf_text(title) END AS title,
  CASE
    WHEN description IN ('No description available Story format', 'No description available') THEN NULL
    ELSE pf_text(description)
  END AS description,
  pf_follower_count(follower_count) AS follower_count,
  CASE WHEN poster_name = 'User Info Error' THEN NULL ELSE pf_text(poster_name) END AS poster_name,
  CASE WHEN tag_list = 'N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e' THEN NULL ELSE pf_text(tag_list) END AS tag_list,
  pf_text(is_image_or_video) AS is_image_or_video,
  CASE WHEN image_src = 'Image src error.' THEN NULL ELSE pf_text(image_src) END AS image_src,
  pf_text(CASE WHEN save_location LIKE 'Local save in %' THEN substr(save_location, 15) ELSE save_location END) AS save_location,
  pf_text(category) AS category,
  source_topic,
  source_partition,
  source_offset,
  arrived_at
FROM raw_pin;
