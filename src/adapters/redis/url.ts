// Owns the rules for the URL of Redis: what the driver would take in another way than it was meant. Imports nothing.

/**
 * What is wanted of a URL that cannot be used; undefined for a good one. Holds nothing of the URL, for there may be a
 * password in it.
 */
export function redisUrlFault(url: string): string | undefined {
  // To the letter: the driver would speak plainly to `REDISS://`.
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) return 'a URL that begins with redis:// or rediss://';
  const { hostname, port, pathname, searchParams, username, password } = new URL(url);
  if (hostname === '') return 'a URL with a host';
  if (port === '0') return 'a URL with a port from 1 to 65535, or none';
  if (!isPercentEncoded(username) || !isPercentEncoded(password)) {
    return 'a URL whose user and password are percent-encoded';
  }
  // It would take a path that is no number for database 0.
  if (!/^(\/\d{0,5})?$/.test(pathname)) return 'a URL whose path is a database number such as /0, or none';
  // It takes any parameter for one of its options, before ours: one could switch its queue on again.
  const parameters = [...searchParams];
  if (parameters.length > 1 || parameters.some(([name, value]) => name !== 'family' || !/^[046]$/.test(value))) {
    return 'a URL with no parameter but family, which is 4 or 6';
  }
  return undefined;
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
