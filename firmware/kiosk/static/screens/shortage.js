// @ts-check
import { html, nothing } from '../vendor/lit.js';
import { say, t, word } from '../i18n.js';
import { icon } from '../parts/icons.js';

const REASONS = ['missing', 'damaged', 'refused', 'other']; // those that every run has, where the view names none

/** Less than ordered: how many are handed over, and why no more. @param {any} screen @param {import('../parts/goods.js').Row} row */
export function shortage(screen, row) {
  const { line } = row;
  const many = line.qty > 1;
  const step = (/** @type {number} */ by, /** @type {string} */ mark, /** @type {string} */ key) => {
    const off = screen.count + by < 0 || screen.count + by >= line.qty;
    return html`<button type="button" class="key ${off ? 'locked' : ''}" aria-label=${t(key)} aria-disabled=${off ? 'true' : nothing} @click=${() => { if (!off) screen.count += by; }}>${icon(mark)}</button>`;
  };
  const give = (/** @type {string} */ reason) => {
    screen.send('pod.line', { line_id: line.line_id, qty_fact: many ? screen.count : 0, reason });
    screen.mode = '';
  };
  return html`<p class="large strong"><bdi class="one">${line.name}</bdi></p>
    ${many ? html`<div class="row quantity">${step(-1, 'minus', 'shortage.less')}<bdi class="huge">${screen.count}</bdi><span class="large quiet">/ <bdi>${line.qty}</bdi></span>${step(1, 'plus', 'shortage.more')}</div>` : nothing}
    <p class="quiet">${say(many ? 'shortage.why_less' : 'shortage.why_none')}</p>
    <rp-list label=${t('shortage.why_none')} .items=${screen.d.reasons ?? REASONS} .across=${matchMedia('(orientation: portrait)').matches ? 2 : 4} .row_mm=${13} .row=${(/** @type {string} */ code) => html`<button type="button" class="key" @click=${() => give(code)}>${word('reason', code)}</button>`}></rp-list>`;
}
