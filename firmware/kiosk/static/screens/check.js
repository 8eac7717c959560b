// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { measure } from '../format.js';
import { say, t, word } from '../i18n.js';
import { fitted } from '../parts/fit.js';
import { icon } from '../parts/icons.js';
import '../parts/list.js';
import { look } from '../parts/look.js';
import '../parts/viewfinder.js';

/** S2: the vehicle, before and after. Tap an item: in order, then defect, then in order again. */
class Check extends Screen {
  static styles = [look, css`
    .item { gap: calc(var(--mm) * 2); font-size: calc(var(--mm) * 3.9); padding-inline: calc(var(--mm) * 2); inline-size: 100%; }
    .item .text { flex: 1; }
    .item .state { font-size: var(--small); display: block; font-weight: 500; }
    .item.good { border-color: var(--ok); } .item.good svg, .item.good .state { color: var(--ok); }
    .item.defect { background: var(--bad); color: var(--on-bad); border-color: var(--bad); }
    .item svg.icon { inline-size: calc(var(--mm) * 6); block-size: calc(var(--mm) * 6); }
    .head { flex: none; }
    rp-viewfinder { flex: 1; }
  `];

  body() {
    const { items = [], odometer_km, vehicle, blocked = [] } = this.d;
    if (this.d.photo_for) return html`<p class="strong">${t('check.photo_of')} <bdi>${this.name(this.d.photo_for)}</bdi></p><rp-viewfinder .camera=${this.view.d.camera ?? 'ok'}></rp-viewfinder>`;
    const upright = matchMedia('(orientation: portrait)').matches;
    return html`${blocked.length ? nothing : html`<div class="row spread head small"><bdi class="strong one">${vehicle}</bdi>${odometer_km === null || odometer_km === undefined ? nothing : html`<span class="quiet">${t('check.odometer')} <bdi>${measure(odometer_km, 'kilometer')}</bdi></span>`}</div>`}
      ${blocked.length ? html`<div class="callout caution" role="status">${icon('warn')}<span>${say('check.do_not_drive', { item: blocked.map((/** @type {string} */ id) => this.name(id)).join(', ') })}</span></div>` : nothing}
      <rp-list label=${t('title.check')} .items=${items} .across=${upright ? 2 : 3} .row_mm=${13} .row=${(/** @type {any} */ item) => this.item(item)}></rp-list>`;
  }

  /** @param {string} item_id */
  name(item_id) {
    const item = this.d.items.find((/** @type {any} */ one) => one.item_id === item_id);
    return word('check', item_id, item?.name);
  }

  /** @param {any} item */
  item(item) {
    const how = item.ok === true ? 'good' : item.ok === false ? 'defect' : '';
    const state = item.ok === true ? 'check.ok' : item.ok === false ? 'check.defect' : item.old_defect ? 'check.old' : 'check.open';
    return html`<button type="button" class="key start item ${how}" @click=${() => this.send('check.item', { item_id: item.item_id, ok: item.ok !== true })}>
      ${icon(item.ok === true ? 'ok' : item.ok === false ? 'wrong' : item.old_defect ? 'warn' : 'unknown')}
      <span class="text">${fitted(this.name(item.item_id), 1, 'name')}<span class="state">${t(state)}</span></span>
      ${item.photo ? html`${icon('photo')}<span class="hidden">${t('check.has_photo')}</span>` : nothing}</button>`;
  }

  actions() {
    const { photo_for, camera = 'ok' } = this.d;
    if (photo_for) return {
      back: { label: t('back'), cmd: 'check.item', d: { item_id: photo_for, ok: false } },
      primary: { label: t('photo.take'), icon: 'photo', cmd: 'pod.photo', locked: camera === 'ok' ? null : t('photo.no_camera') },
    };
    const { items = [], phase } = this.d;
    const open = items.filter((/** @type {any} */ one) => one.ok === null).length;
    const defect = items.find((/** @type {any} */ one) => one.ok === false && !one.photo);
    const back = phase === 'after' ? { label: t('back'), cmd: 'ui.back' } : null;
    const photo = defect ? { label: t('check.photo'), icon: 'photo', cmd: 'check.photo', d: { item_id: defect.item_id } } : null;
    const untouched = open === items.length;
    if (open) return { back, others: [photo], primary: { label: t(untouched ? 'check.all_ok' : 'check.rest_ok'), icon: 'ok', cmd: 'check.submit', d: { all_ok: true } } };
    return { back, others: [photo], primary: { label: t('check.submit'), icon: 'next', cmd: 'check.submit' } };
  }
}

customElements.define('rp-check', Check);
