// @ts-check
import { locale } from './i18n.js';

const GROUP = 4;
const LONGEST = 20; // what is longer begins with what all parcels share

/** @typedef {{amount: number, currency: string, digits: number}} Money in the currency's smallest unit */

/** @param {Money} money */
export function amount(money) {
  return new Intl.NumberFormat(locale(), { style: 'currency', currency: money.currency, currencyDisplay: 'code',
    minimumFractionDigits: money.digits, maximumFractionDigits: money.digits }).format(money.amount / 10 ** money.digits);
}

/** The figure alone, where the currency stands nearby. @param {Money} money */
export function figure(money) {
  return number(money.amount / 10 ** money.digits, money.digits);
}

/** @param {number} value @param {number} digits */
export function number(value, digits = 0) {
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** @param {number | null | undefined} at_ms epoch milliseconds, shown in this place's time */
export function clock(at_ms) {
  if (at_ms === null || at_ms === undefined) return '--:--';
  return new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at_ms);
}

/** @param {number | null | undefined} metres */
export function distance(metres) {
  if (metres === null || metres === undefined) return '–';
  const far = metres >= 1000;
  const value = far ? metres / 1000 : metres >= 100 ? Math.round(metres / 10) * 10 : Math.round(metres);
  return measure(value, far ? 'kilometer' : 'meter', far && metres < 100_000 ? 1 : 0);
}

/** @param {number} value @param {string} unit a unit of ECMA-402 @param {number} digits */
export function measure(value, unit, digits = 0) {
  return new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits }).format(value);
}

/** @param {number | null | undefined} grams */
export function weight(grams) {
  return grams === null || grams === undefined ? '' : measure(grams / 1000, 'kilogram', 1);
}

/** A barcode in groups of four from its end, which can be compared by eye; the last one tells parcels of one sender apart. @param {string} code @returns {string[]} */
export function groups(code) {
  if (code.length <= 8) return [code];
  if (code.length > LONGEST) return [code.slice(0, -3 * GROUP), ...groups(code.slice(-3 * GROUP))];
  const short = code.length % GROUP;
  const rest = code.slice(short).match(/.{4}/gs) ?? [];
  return short ? [code.slice(0, short), ...rest] : rest;
}
