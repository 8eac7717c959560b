// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { clock, distance } from '../format.js';
import { say, t } from '../i18n.js';
import { chart } from '../parts/chart.js';
import { fitted } from '../parts/fit.js';
import { icon, progress } from '../parts/icons.js';
import { look } from '../parts/look.js';
import { chips } from '../parts/stopcard.js';

/** S4: what a glance needs. While moving there is nothing to press. */
class Drive extends Screen {
  static styles = [look, css`
    .top { display: flex; gap: calc(var(--mm) * 4); align-items: flex-start; }
    .to { font-size: calc(var(--mm) * 7.4); font-weight: 700; }
    .figures { display: flex; gap: calc(var(--mm) * 5); flex: none; text-align: end; }
    .figures .huge { white-space: nowrap; }
    .figures .label, .foot { font-size: var(--large); color: var(--ink); font-weight: 600; }
    .chips { gap: var(--gap); margin-block-start: calc(var(--mm) * 1); }
    .chips .chip { font-size: var(--large); padding-block: 0; }
    .map { flex: 1; min-block-size: 0; border-radius: var(--radius); overflow: hidden; display: flex; }
    .map > * { flex: 1; }
    .foot { display: flex; gap: calc(var(--mm) * 5); align-items: center; line-height: 1.1; }
    .foot > span { display: inline-flex; align-items: center; gap: calc(var(--mm) * 1.2); white-space: nowrap; }
    @media (orientation: portrait) { .top { flex-direction: column; align-items: stretch; gap: var(--gap); } .figures { inline-size: 100%; justify-content: space-between; text-align: start; } .foot { flex-wrap: wrap; gap: var(--gap) calc(var(--mm) * 5); } }
  `];

  body() {
    const { next } = this.d;
    if (!next) return html`<div class="empty">${icon('ok')}<h2 class="large">${t('drive.done')}</h2><p>${t('drive.done_text')}</p></div>`;
    return html`<div class="top"><div class="grow">${fitted(next.address, 2, 'to')}<div class="row wrap chips">${chips(next)}</div></div>
        <div class="figures"><div><bdi class="huge">${distance(this.d.distance_m)}</bdi></div><div><bdi class="huge">${clock(this.d.eta_ms)}</bdi></div></div></div>
      <div class="map">${chart(this.d.map, next.stop_id, [{ stop_id: next.stop_id, distance_m: this.d.distance_m }])}</div>
      ${this.foot()}`;
  }

  foot() {
    const { done, total, unread, deviation_min: late } = this.d;
    return html`<div class="foot"><span><bdi dir="ltr">${done} / ${total}</bdi></span><span class="grow">${progress(done, total, t('drive.progress', { done, total }))}</span>
      ${unread ? html`<span>${icon('message')}${say('drive.unread', { n: unread })}</span>` : nothing}
      ${late === null || late === undefined ? nothing : html`<span class=${late > 5 ? 'bad' : ''}>${icon('clock')}${punctual(late)}</span>`}</div>`;
  }

  actions() {
    if (this.view.moving || this.d.locked) return { note: t('drive.locked'), others: [{ label: t('drive.override'), cmd: 'motion.override' }] };
    const { unread, next } = this.d;
    const others = [{ label: t('route.all'), icon: 'route', cmd: 'route.open' }, { label: t('messages.open'), icon: 'message', cmd: 'message.open', badge: unread }];
    if (!next) return { others, primary: { label: t('end.open'), icon: 'end', cmd: 'end.open' } };
    return { others, primary: { label: t('route.arrived'), icon: 'arrive', cmd: 'route.arrive' } };
  }
}

/** @param {number} late_min minutes behind plan; negative: ahead */
export function punctual(late_min) {
  if (late_min === 0) return t('drive.on_time');
  return late_min > 0 ? say('drive.late', { n: late_min }) : say('drive.early', { n: -late_min });
}

customElements.define('rp-drive', Drive);
