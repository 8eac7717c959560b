// @ts-check

/**
 * A place on the ground, WGS 84.
 * @typedef {{lat: number, lon: number}} Place
 * The vehicle: `course_deg` is the direction of travel, clockwise from north; null while it stands or is not known.
 * @typedef {{lat: number, lon: number, course_deg: number | null}} Here
 * One stop as the firmware's view has it; `address` and `distance_m` only where the screen adds them.
 * @typedef {{stop_id: string, no: number, lat: number | null, lon: number | null, state: string, address?: string, distance_m?: number | null}} Stop
 */

const EARTH_M = 6_371_009; // mean radius

/** @param {{lat: unknown, lon: unknown} | null | undefined} place @returns {place is Place} */
export function isPlace(place) {
  return Number.isFinite(place?.lat) && Number.isFinite(place?.lon);
}

/** Metres between two places as the crow flies. @param {Place} a @param {Place} b */
export function distanceM(a, b) {
  const lat = radians(b.lat - a.lat) / 2;
  const lon = radians(b.lon - a.lon) / 2;
  const h = Math.sin(lat) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(lon) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Direction from one place to another, 0 to 360, clockwise from north. @param {Place} a @param {Place} b */
export function bearingDeg(a, b) {
  const lon = radians(b.lon - a.lon);
  const east = Math.sin(lon) * Math.cos(radians(b.lat));
  const north = Math.cos(radians(a.lat)) * Math.sin(radians(b.lat)) - Math.sin(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.cos(lon);
  return turnDeg((Math.atan2(east, north) * 180) / Math.PI);
}

/** Any angle as 0 to 360. @param {number} deg */
export function turnDeg(deg) {
  return ((deg % 360) + 360) % 360;
}

/** @param {number} deg */
function radians(deg) {
  return (deg * Math.PI) / 180;
}
