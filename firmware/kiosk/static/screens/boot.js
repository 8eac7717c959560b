// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { t, word } from '../i18n.js';
import { icon } from '../parts/icons.js';
import { look } from '../parts/look.js';

/** @type {Record<string, string>} */
const MARKS = { ok: 'ok', wait: 'clock', bad: 'warn' };

/** S0: what works. Leaves by itself. */
class Boot extends Screen {
  static styles = [look, css`
    .checks { grid-template-columns: repeat(2, minmax(0, 1fr)); grid-template-rows: repeat(4, minmax(0, calc(var(--mm) * 13))); flex: 1; min-block-size: 0; gap: calc(var(--mm) * 1.5) var(--gap); }
    .check { display: flex; align-items: center; gap: calc(var(--mm) * 2.5); padding-block: 0; line-height: 1.12; }
    .check svg.icon { inline-size: calc(var(--mm) * 6); block-size: calc(var(--mm) * 6); }
    .check .strong { line-height: 1; } .check .strong:lang(ar) { line-height: 1.3; }
    .check div { flex: 1; min-inline-size: 0; display: flex; flex-direction: column; }
    .brand { display: flex; align-items: baseline; gap: var(--gap); }
    .brand b { font-size: var(--large); }
  `];

  body() {
    const { checks = [], version, unit } = this.d;
    return html`<div class="row spread"><span class="brand"><b>Roadproof</b><bdi class="quiet small">${version}</bdi></span><span>${t('boot.unit')} <bdi class="strong">${unit}</bdi></span></div>
      <ul class="grid checks">${checks.map((/** @type {any} */ one) => html`<li class="card check">
        <span class=${one.state === 'ok' ? 'ok' : one.state === 'bad' ? 'bad' : 'quiet'}>${icon(MARKS[one.state] ?? 'info')}</span>
        <div><span class="strong">${word('boot', one.key)}</span><span class="small quiet">${word('bootstate', one.state)}${one.text ? html` · <bdi>${one.text}</bdi>` : nothing}</span></div></li>`)}</ul>`;
  }

  actions() {
    return { note: t('boot.wait'), mark: 'clock', others: [{ label: t('menu.diag'), icon: 'tool', act: () => this.tell('aside', 'diag') }] };
  }
}

customElements.define('rp-boot', Boot);
