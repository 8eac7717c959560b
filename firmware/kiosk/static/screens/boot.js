// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { t, word } from '../i18n.js';
import { icon } from '../parts/icons.js';
import { look } from '../parts/look.js';

/** @type {Record<string, string>} */
const MARKS = { ok: 'ok', wait: 'clock', bad: 'warn' };
const QUIET_ZONE = 4; // modules of white that a reader needs round a code

/** S0: what works. Leaves by itself. */
class Boot extends Screen {
  static styles = [look, css`
    .checks { grid-template-columns: repeat(2, minmax(0, 1fr)); grid-template-rows: repeat(4, minmax(0, calc(var(--mm) * 13))); min-block-size: 0; gap: calc(var(--mm) * 1.5) var(--gap); }
    .check { display: flex; align-items: center; gap: calc(var(--mm) * 2.5); padding-block: 0; line-height: 1.12; min-inline-size: 0; }
    .check svg.icon { inline-size: calc(var(--mm) * 6); block-size: calc(var(--mm) * 6); }
    .check .strong { line-height: 1; } .check .strong:lang(ar) { line-height: 1.2; }
    .check .two { font-size: calc(var(--mm) * 3.1); line-height: 1.1; }
    .check div { flex: 1; min-inline-size: 0; display: flex; flex-direction: column; }
    .brand { display: flex; align-items: baseline; gap: var(--gap); }
    .brand b { font-size: var(--large); }
    .columns > .support { flex: none; display: flex; flex-direction: column; align-items: center; gap: calc(var(--mm) * 1); inline-size: calc(var(--mm) * 34); text-align: center; }
    .support svg { display: block; inline-size: 100%; block-size: auto; }
    .support rect { fill: #fff; } .support path { fill: #000; } /* by night too: few readers know a code in reverse */
    @media (orientation: portrait) {
      .columns > .support { flex: 1 1 0; inline-size: 100%; justify-content: center; }
      .support svg { inline-size: calc(var(--mm) * 40); }
    }
  `];

  body() {
    const { checks = [], version, unit, qr } = this.d;
    return html`<div class="row spread"><span class="brand"><b>Roadproof</b><bdi class="quiet small">${version}</bdi></span><span>${t('boot.unit')} <bdi class="strong">${unit}</bdi></span></div>
      <div class="columns"><ul class="grid checks">${checks.map((/** @type {any} */ one) => html`<li class="card check">
        <span class=${one.state === 'ok' ? 'ok' : one.state === 'bad' ? 'bad' : 'quiet'}>${icon(MARKS[one.state] ?? 'info')}</span>
        <div><span class="strong">${word('boot', one.key)}</span>${how(one)}</div></li>`)}</ul>${qr ? support(qr) : nothing}</div>`;
  }

  actions() {
    return { note: t('boot.wait'), mark: 'clock', others: [{ label: t('menu.diag'), icon: 'tool', act: () => this.tell('aside', 'diag') }] };
  }
}

/** @param {{key: string, state: string, text: string}} one a number and a word are told in the driver's language, a sentence as the unit says it */
function how({ key, state, text }) {
  const known = word('bootstate', state);
  if (state !== 'ok' && text.includes(' ')) return html`<span class="hidden">${known}</span><bdi class="quiet two" lang="en">${text}</bdi>`;
  const fact = key === 'gnss' && text ? t('diag.sats', { n: Number(text) }) : key === 'clock' ? word('clock', text) : text;
  return html`<span class="small quiet">${known}${fact ? html` · <bdi>${fact}</bdi>` : nothing}</span>`;
}

/** Which unit this is, for the camera of whoever helps. @param {{size: number, path: string}} qr */
function support({ size, path }) {
  const whole = size + 2 * QUIET_ZONE;
  return html`<div class="support"><svg viewBox="-${QUIET_ZONE} -${QUIET_ZONE} ${whole} ${whole}" role="img" aria-label=${t('boot.code')} shape-rendering="crispEdges">
    <rect x="-${QUIET_ZONE}" y="-${QUIET_ZONE}" width=${whole} height=${whole}/><path d=${path}/></svg><span class="small quiet">${t('boot.code')}</span></div>`;
}

customElements.define('rp-boot', Boot);
