// @ts-check
import { html } from '../vendor/lit.js';

let asked = false;

/**
 * The map, loaded when first seen; without it the rest of the screen still works.
 * @param {any} map @param {string | null} current @param {any[]} stops what the screen says of stops, which the map then says too
 * @param {boolean} overview
 */
export function chart(map, current, stops = [], overview = false) {
  if (!asked) import('../map/rp-map.js').catch(() => undefined);
  asked = true;
  const { theme } = document.documentElement.dataset;
  const known = new Map(stops.map((stop) => [stop.stop_id, stop]));
  const drawn = (map?.stops ?? []).map((/** @type {any} */ stop) => ({ ...stop, address: known.get(stop.stop_id)?.address, distance_m: known.get(stop.stop_id)?.distance_m }));
  return html`<rp-map .here=${map?.here ?? null} .stops=${drawn} .current=${current} .theme=${theme === 'night' ? 'night' : 'day'}
    .dir=${document.documentElement.dir} ?overview=${overview}></rp-map>`;
}
