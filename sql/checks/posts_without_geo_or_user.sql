-- name: posts_without_geo_or_user
-- description: Posts whose place or user record has not arrived; they count in no question that needs it.
-- columns: ind, has_geo, has_user
SELECT pin.ind, geo.ind IS NOT NULL AS has_geo, who.ind IS NOT NULL AS has_user
FROM latest_pin AS pin
LEFT JOIN latest_geo AS geo ON geo.ind = pin.ind
LEFT JOIN latest_user AS who ON who.ind = pin.ind
WHERE geo.ind IS NULL OR who.ind IS NULL
ORDER BY pin.ind;
