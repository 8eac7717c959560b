// @ts-check
import { html } from '../vendor/lit.js';

let asked = false;

/** The map, loaded when first seen; without it the rest of the screen still works. @param {any} map @param {string | null} current @param {boolean} overview */
export function chart(map, current, overview = false) {
  if (!asked) import('../map/rp-map.js').catch(() => undefined);
  asked = true;
  const { theme } = document.documentElement.dataset;
  return html`<rp-map .here=${map?.here ?? null} .stops=${map?.stops ?? []} .current=${current} .theme=${theme === 'night' ? 'night' : 'day'}
    .dir=${document.documentElement.dir} ?overview=${overview}></rp-map>`;
}
