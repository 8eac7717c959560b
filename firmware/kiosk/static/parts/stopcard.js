// @ts-check
import { html, nothing } from '../vendor/lit.js';
import { amount, clock, distance, figure } from '../format.js';
import { say, t, word } from '../i18n.js';
import { fitted } from './fit.js';
import { icon } from './icons.js';

/** @typedef {Record<string, any>} Stop */

/** @type {Record<string, string>} */
const STATE_MARKS = { delivered: 'ok', picked_up: 'ok', partial: 'warn', failed: 'wrong', arrived: 'arrive' };

/** What is special about a stop, in short. @param {Stop} stop */
export function chips(stop) {
  const parcels = stop.parcels ? html`<span class="chip">${icon('parcel')}<span>${say('stop.parcels', { n: stop.parcels })}</span></span>` : nothing;
  const service = stop.service === 'delivery' ? nothing : html`<span class="chip">${icon(stop.service === 'return' ? 'undo' : 'queue')}${word('service', stop.service)}</span>`;
  const cod = stop.cod ? html`<span class="chip money">${icon('cod')}<bdi>${amount(stop.cod)}</bdi></span>` : nothing;
  return html`${parcels}${service}${cod}`;
}

/** @param {Stop} stop */
export function hours(stop) {
  return stop.window ? html`<span class="chip">${icon('clock')}<bdi>${clock(stop.window.begin_ms)}–${clock(stop.window.end_ms)}</bdi></span>` : nothing;
}

/** A row of the route: number, address, what it is, how far. @param {Stop} stop @param {boolean} current @param {() => void} open */
export function stopCard(stop, current, open) {
  const over = ['delivered', 'picked_up', 'partial', 'failed'].includes(stop.state);
  return html`<button type="button" class="key start stop ${over ? 'over' : ''}" aria-current=${current ? 'true' : nothing} @click=${open}>
    <span class="no"><bdi>${stop.no}</bdi></span>
    <span class="where">${fitted(stop.address, 2, 'strong')}<span class="facts">${over ? html`<span>${icon(STATE_MARKS[stop.state])}${word('state', stop.state)}</span>` : facts(stop)}</span></span></button>`;
}

/** @param {Stop} stop */
function facts(stop) {
  return html`<span class="some">${stop.service === 'delivery' ? nothing : html`<span>${icon(stop.service === 'return' ? 'undo' : 'queue')}${word('service', stop.service)}</span>`}
    ${stop.cod ? html`<span class="money">${icon('cod')}<bdi>${figure(stop.cod)}</bdi></span>` : nothing}
    ${stop.window ? html`<span>${stop.cod ? nothing : icon('clock')}<bdi>${clock(stop.window.begin_ms)}–${clock(stop.window.end_ms)}</bdi></span>` : nothing}
    ${stop.parcels ? html`<span>${icon('parcel')}<bdi>${stop.parcels}</bdi><span class="hidden">${t('stop.parcels', { n: stop.parcels })}</span></span>` : nothing}
    </span><bdi class="far">${distance(stop.distance_m)}</bdi>`;
}

/** Which way of saying "do it" fits the stop. @param {Stop} stop */
export function startLabel(stop) {
  return t(stop.service === 'delivery' ? 'stop.deliver' : stop.service === 'return' ? 'stop.return' : 'stop.pickup');
}
