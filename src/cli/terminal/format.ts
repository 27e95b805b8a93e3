/** Number formats for the terminal: short, with little variation in width. */

/** `80` reads `1m 20s`; at most two units. */
export function shortTime(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '?';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const [minutes, hours, days] = [
    Math.floor(whole / 60),
    Math.floor(whole / 3600),
    Math.floor(whole / 86_400),
  ];
  if (minutes < 60) return `${minutes}m ${padded(whole % 60)}s`;
  return hours < 24 ? `${hours}h ${padded(minutes % 60)}m` : `${days}d ${padded(hours % 24)}h`;
}

/** `0.8123` reads `81.2%`; undefined reads `-`. */
export function percentage(share: number | undefined): string {
  return share === undefined ? '-' : `${(share * 100).toFixed(1)}%`;
}

/** `1234.5` reads `1,235`, `3.21` reads `3.2`. */
export function rate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return '?';
  return perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en');
}

function padded(value: number): string {
  return String(value).padStart(2, '0');
}
