// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { t } from '../i18n.js';
import { chart } from '../parts/chart.js';
import { icon, progress } from '../parts/icons.js';
import '../parts/list.js';
import { look } from '../parts/look.js';
import { stopCard } from '../parts/stopcard.js';
import { punctual } from './drive.js';

const FAR_M = 150; // nobody is there yet

/** S5: all stops, and where they are. */
class Route extends Screen {
  static styles = [look, css`
    .map { border-radius: var(--radius); overflow: hidden; display: flex; min-block-size: calc(var(--mm) * 34); }
    .map > * { flex: 1; }
    .head { font-size: var(--small); font-weight: 600; flex: none; white-space: nowrap; }
    .head > span { flex: none; }
    .columns > .list { flex-grow: 1.6; }
    .list { display: flex; flex-direction: column; gap: var(--gap); }
  `];

  body() {
    const { stops = [], current, done, total, deviation_min: late, map } = this.d;
    if (!stops.length) return html`<div class="empty">${icon('route')}<h2 class="large">${t('route.empty')}</h2><p>${t('route.empty_text')}</p></div>`;
    const upright = matchMedia('(orientation: portrait)').matches; // what is known of a stop may take two lines
    const at = stops.findIndex((/** @type {any} */ stop) => stop.stop_id === current);
    return html`<div class="columns"><div class="list grow wide">
        <div class="row head"><span><bdi dir="ltr">${done} / ${total}</bdi></span>${progress(done, total, t('drive.progress', { done, total }))}
          ${late === null || late === undefined ? nothing : html`<span class=${late > 5 ? 'bad' : ''}>${punctual(late)}</span>`}</div>
        <rp-list label=${t('title.route')} .items=${stops} .at=${at} .row_mm=${upright ? 17 : 13.4}
          .row=${(/** @type {any} */ stop) => stopCard(stop, stop.stop_id === current, () => this.send('route.stop', { stop_id: stop.stop_id }))}></rp-list>
      </div><div class="map">${chart(map, current, stops, true)}</div></div>`;
  }

  actions() {
    const { unread, current, stops = [] } = this.d;
    const messages = { label: t('messages.open'), icon: 'message', cmd: 'message.open', badge: unread };
    const next = stops.find((/** @type {any} */ stop) => stop.stop_id === current);
    if (!next) return { others: [messages], primary: { label: t('end.open'), icon: 'end', cmd: 'end.open' } };
    const drive = { label: t('route.drive'), icon: 'drive', cmd: 'route.drive' };
    const arrived = { label: t('route.arrived'), icon: 'arrive', cmd: 'route.arrive' };
    return next.distance_m > FAR_M ? { others: [messages, arrived], primary: drive } : { others: [messages, drive], primary: arrived };
  }
}

customElements.define('rp-route', Route);
