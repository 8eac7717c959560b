// @ts-check
import { isPlace } from './distance.js';

/**
 * One map file of the unit and the area that it covers.
 * @typedef {{url: string, west: number, south: number, east: number, north: number, attribution: string, source: unknown}} Archive
 */

const OSM = '© OpenStreetMap contributors'; // what a file owes that does not say otherwise

/**
 * The map files that this unit has; those that cannot be read are left out.
 * @param {typeof import('../vendor/pmtiles/pmtiles.js').PMTiles} PMTiles @returns {Promise<Archive[]>}
 */
export async function archives(PMTiles) {
  const answer = await fetch('/maps/');
  if (!answer.ok) return [];
  const { maps } = await answer.json();
  const opened = await Promise.allSettled(maps.map((/** @type {string} */ name) => read(PMTiles, name)));
  return opened.flatMap((archive) => (archive.status === 'fulfilled' ? [archive.value] : []));
}

/** The smallest map that shows the place, null when none does. @param {Archive[]} all @param {{lat: number | null, lon: number | null} | null | undefined} place */
export function covering(all, place) {
  if (!isPlace(place)) return null;
  const { lat, lon } = place;
  const able = all.filter((map) => map.west <= lon && lon <= map.east && map.south <= lat && lat <= map.north);
  return able.sort((a, b) => area(a) - area(b))[0] ?? null;
}

/** @param {any} PMTiles @param {string} name @returns {Promise<Archive>} */
async function read(PMTiles, name) {
  const url = new URL(`/maps/${encodeURIComponent(name)}.pmtiles`, location.href).href;
  const source = new PMTiles(url);
  const [header, metadata] = [await source.getHeader(), await source.getMetadata()];
  const { minLon: west, minLat: south, maxLon: east, maxLat: north } = header;
  return { url, west, south, east, north, attribution: plain(metadata?.attribution) || OSM, source };
}

/** Text without its markup: a file's attribution is HTML, and is not ours. @param {unknown} markup */
function plain(markup) {
  return new DOMParser().parseFromString(String(markup ?? ''), 'text/html').body.textContent?.trim() ?? '';
}

/** @param {Archive} map */
function area(map) {
  return (map.east - map.west) * (map.north - map.south);
}
