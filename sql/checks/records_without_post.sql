-- name: records_without_post
-- description: Place and user records whose post has not arrived.
-- columns: ind, kind
SELECT ind, kind
FROM (
  SELECT geo.ind AS ind, 'geo' AS kind FROM latest_geo AS geo LEFT JOIN latest_pin AS pin ON pin.ind = geo.ind WHERE pin.ind IS NULL
  UNION ALL
  SELECT who.ind AS ind, 'user' AS kind FROM latest_user AS who LEFT JOIN latest_pin AS pin ON pin.ind = who.ind WHERE pin.ind IS NULL
) AS orphans
ORDER BY ind, kind;
