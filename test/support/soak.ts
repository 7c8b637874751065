// How long random tests go on: a short while in `npm test`, a long one in `npm run test:soak`, which sets SOAK.

/** Whether this is a long run. */
export const isSoak = Boolean(process.env['SOAK']);

/** @param name of the variable that sets another number */
export function cases(name: string, { short, soak }: { readonly short: number; readonly soak: number }): number {
  return Number(process.env[name] ?? (isSoak ? soak : short));
}
