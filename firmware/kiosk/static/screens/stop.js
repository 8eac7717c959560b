// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { distance, weight } from '../format.js';
import { say, t, word } from '../i18n.js';
import { fitted } from '../parts/fit.js';
import { icon } from '../parts/icons.js';
import { goods } from '../parts/goods.js';
import '../parts/list.js';
import { look } from '../parts/look.js';
import { chips, hours, startLabel } from '../parts/stopcard.js';

/** S6: who, what and where, before the work at the door begins. */
class Stop extends Screen {
  static styles = [look, css`
    .to { font-size: calc(var(--mm) * 6.6); font-weight: 700; } .side.tight .to { font-size: var(--large); } .side.tight .who { font-size: calc(var(--mm) * 3.6); }
    .side { gap: calc(var(--mm) * 1.6); overflow: hidden; } .side > * { flex: none; }
    .side:not(.tight) .callout { font-size: var(--body); padding-block: var(--gap); }
    .side.tight { gap: calc(var(--mm) * 0.8); } .side.tight .callout { padding-block: calc(var(--mm) * 0.5); }
    .chips { gap: calc(var(--mm) * 1.2); }
    .callout { padding-block: calc(var(--mm) * 1); font-size: calc(var(--mm) * 3.8); line-height: 1.15; }
    .needs { flex: none; font-size: calc(var(--mm) * 3); font-weight: 600; gap: calc(var(--mm) * 0.8) calc(var(--mm) * 1.4); display: flex; flex-wrap: wrap; }
    .phone { font-size: calc(var(--mm) * 4.8); align-items: center; }
    .needs li { display: inline-flex; gap: calc(var(--mm) * 0.5); align-items: center; white-space: nowrap; }
  `];

  body() {
    const { stop, lines = [], needs = [], inside, contactless } = this.d;
    const rows = goods(lines);
    const tight = inside === false && (contactless || stop.note);
    return html`<div class="columns"><div class="stack side wide ${tight ? 'tight' : ''}">
        ${fitted(stop.address, 2, 'to')}
        ${inside === false ? html`<div class="callout caution">${icon('gnss')}<span>${say('stop.far', { far: distance(stop.distance_m) })}</span></div>` : nothing}
        ${contactless ? html`<div class="callout">${icon('parcel')}<span>${say('stop.contactless', { place: word('relation', contactless) })}</span></div>` : nothing}
        ${stop.detail || stop.contact ? html`${fitted(html`${stop.detail ? html`<bdi>${stop.detail}</bdi>` : nothing}${stop.detail && stop.contact ? ' · ' : ''}${stop.contact ? html`<bdi class="strong">${stop.contact}</bdi>` : nothing}`, 2, 'who')}` : nothing}
        <div class="row wrap chips">${hours(stop)}${chips(stop)}</div>
        ${stop.note ? html`<div class="callout">${icon('note')}<bdi class="two">${stop.note}</bdi></div>` : nothing}
      </div><div class="stack grow">${rows.length ? html`<rp-list label=${t('stop.goods')} .items=${rows} .row_mm=${10} .row=${row}></rp-list>`
        : html`<div class="empty">${icon('parcel')}<p>${t('stop.no_goods')}</p></div>`}
        ${stop.phone ? html`<p class="needs phone">${icon('phone')}<bdi dir="ltr">${stop.phone}</bdi></p>` : nothing}
        <ul class="needs" aria-label=${t('stop.needs')}>${needs.map((/** @type {string} */ need) => html`<li>${icon(need)}${word('step', need)}</li>`)}</ul></div></div>`;
  }

  actions() {
    const { stop, can_correct, begun } = this.d;
    const back = { label: t('back'), cmd: 'ui.back' };
    const over = ['delivered', 'picked_up', 'partial'].includes(stop.state);
    const correct = can_correct ? { label: t('stop.correct'), icon: 'undo', cmd: 'pod.correct', d: { stop_id: stop.stop_id } } : null;
    if (over) return { back, primary: correct };
    const others = [correct, { label: t(stop.service === 'delivery' ? 'stop.cannot' : 'stop.cannot_collect'), icon: 'warn', tone: /** @type {'danger'} */ ('danger'), cmd: 'exception.start', d: { scope: 'stop' } }];
    return { back, others, primary: { label: begun ? t('stop.continue') : startLabel(stop), icon: 'parcel', cmd: 'pod.start' } };
  }
}

/** @param {import('../parts/goods.js').Row} one */
const row = (one) => html`<div class="goods ${one.state}">${icon(one.mark)}<span class="what">${one.code ? one.shown : html`<bdi class="one">${one.name}</bdi>`}${one.code ? html`<span class="one small quiet">${one.state === 'open' ? nothing : html`<b>${word('code', one.state)}</b> · `}<bdi>${one.name}</bdi></span>` : nothing}</span>
  <span class="small how"><bdi>${one.code ? weight(one.weight_g) : one.count}</bdi></span></div>`;

customElements.define('rp-stop', Stop);
