// @ts-check
import { clock, measure, number } from '../format.js';
import { known, t, word } from '../i18n.js';
import { counted } from './sky.js';

/**
 * One subject of the technician's page: how it is, in words of the driver's language, and what the unit itself says of it, in the log's.
 * @typedef {{key: string, icon: string, state: 'ok' | 'wait' | 'bad', facts: string[], said: string}} Finding
 */

const MEGABYTE = 1_000_000;

/** What the unit's report means. @param {Record<string, any>} report GET /api/v1/diag @returns {Finding[]} */
export function findings(report) {
  const faults = (report.faults ?? []).map((/** @type {string} */ said) => finding('fault', 'warn', 'bad', [], said));
  return [...faults, receiver(report), camera(report), scanners(report), fleet(report), clockOf(report), storage(report), waiting(report), vehicle(report)];
}

/** The verdict of the unit itself, the same that the boot screen shows. @param {Record<string, any>} report @param {string} key @returns {{state: Finding['state'], text: string}} */
function check({ checks = [] }, key) {
  return checks.find((/** @type {any} */ one) => one.key === key) ?? { state: 'wait', text: '' };
}

/** @param {string} key @param {string} icon @param {Finding['state']} state @param {(string | null | false | undefined)[]} facts @param {string | null | undefined} said @returns {Finding} */
function finding(key, icon, state, facts, said = '') {
  return { key, icon, state, facts: /** @type {string[]} */ (facts.filter(Boolean)), said: said ?? '' };
}

/** @param {Record<string, any>} report */
function receiver(report) {
  const { has_fix, position, gnss, gnss_setup, sky = [], sentences_good = 0, sentences_bad = 0 } = report;
  const place = has_fix ? position : null;
  const facts = place ? [
    sky.length ? counted(sky) : place.sats !== null && t('diag.sats', { n: place.sats }),
    place.accuracy_m !== null && `± ${measure(place.accuracy_m, 'meter', 1)}`,
    `${number(place.lat_deg, 5)}°, ${number(place.lon_deg, 5)}°`,
  ] : [t('bar.no_gnss'), sky.length > 0 && counted(sky), position && t('diag.last_fix', { time: clock(position.at_ms) })];
  const garbled = sentences_bad > 0 && t('diag.garbled', { n: sentences_bad, total: sentences_good + sentences_bad });
  return finding('gnss', 'gnss', check(report, 'gnss').state, [...facts, garbled], [gnss, gnss_setup].filter(Boolean).join(' · '));
}

/** @param {Record<string, any>} report */
function camera(report) {
  const { state, text } = check(report, 'camera');
  return finding('camera', state === 'bad' ? 'camera_off' : 'photo', state, [state === 'wait' ? t('camera.starting') : state === 'ok' && word('bootstate', state)], text);
}

/** @param {Record<string, any>} report */
function scanners(report) {
  const { state, text } = check(report, 'scanner');
  return finding('scanner', 'scan', state, [state === 'ok' && t('diag.no_fault')], text);
}

/** @param {Record<string, any>} report */
function clockOf(report) {
  return finding('clock', 'clock', check(report, 'clock').state, [word('clock', report.time_source)], report.chrony);
}

/** @param {Record<string, any>} report */
function fleet(report) {
  const { link, link_sentence, receipts } = report;
  const online = link === 'online';
  const state = known(`link.${link}`) ? t(`link.${link}`) : t(online ? 'bar.online' : 'bar.offline');
  return finding('link', online ? 'link' : 'nolink', check(report, 'broker').state, [state, receipts > 0 && t('diag.receipts', { n: receipts })], link_sentence);
}

/** @param {Record<string, any>} report */
function waiting({ seq, tseq, blobs_waiting }) {
  const records = (seq?.waiting ?? 0) + (tseq?.waiting ?? 0);
  return finding('queue', 'queue', records + blobs_waiting > 0 ? 'wait' : 'ok', records + blobs_waiting > 0
    ? [records > 0 && t('bar.queue', { n: records }), blobs_waiting > 0 && t('diag.blobs', { n: blobs_waiting })] : [t('end.sent')]);
}

/** @param {Record<string, any>} report */
function storage(report) {
  const { journal, journal_used_bytes: used = 0, journal_quota_bytes: quota = 0 } = report;
  const facts = [quota > 0 && t('diag.used', { used: `${number(used / MEGABYTE, 1)} MB`, quota: `${number(quota / MEGABYTE)} MB` })];
  return finding('journal', 'parcel', check(report, 'storage').state, facts, journal === 'open' ? '' : journal);
}

/** @param {Record<string, any>} report */
function vehicle({ moving, ignition, odometer_m = 0 }) {
  const facts = [t(moving ? 'diag.moving' : 'diag.standing'), ignition !== null && t(ignition ? 'diag.ignition_on' : 'diag.ignition_off'), measure(odometer_m / 1000, 'kilometer')];
  return finding('vehicle', 'truck', 'ok', facts);
}

/** The findings and all values as text, for an e-mail to support. @param {Record<string, any>} report @returns {string} */
export function written(report) {
  const lines = findings(report).map(({ key, state, facts, said }) => `${word('diag', key)}: ${word('bootstate', state)} – ${[...facts, said].filter(Boolean).join('; ')}`);
  return [`Roadproof ${report.unit}`, new Date(report.at_ms).toISOString(), '', ...lines, '', JSON.stringify(report, null, 1)].join('\n');
}
