// The table of growth in Markdown.

import { fine, table, whole } from '../figures.js';
import type { Growth } from './growth.js';
import type { Sweep } from './sweep.js';

const MIB = 1024 ** 2;

const swept = (sweep: Sweep | undefined): string => (sweep ? `${whole(sweep.tookMs)} / ${whole(sweep.cpuMs)}` : '–');

export const growthTable = (sizes: readonly Growth[]): string =>
  table(
    [
      ...[
        'store',
        'sessions',
        'validate: CPU µs',
        'calls/s',
        'calm p99 ms',
        'refresh: CPU µs',
        'calls/s',
        'calm p99 ms',
      ],
      ...['bytes an entry', 'MiB', 'start ms', 'sweep of a tenth: ms / CPU ms', 'idle sweep: ms / CPU ms'],
    ],
    sizes.map(({ store, sessions, validate, refresh, bytes, startMs, swept: sweeps }) => [
      store === 'redis' ? 'Redis' : 'LMDB',
      sessions.toLocaleString('en'),
      ...[validate, refresh].flatMap(({ cpuUs, callsPerS, calmP99Ms }) => [
        fine(cpuUs),
        whole(callsPerS),
        fine(calmP99Ms),
      ]),
      whole(bytes / sessions),
      fine(bytes / MIB),
      whole(startMs),
      swept(sweeps?.removing),
      swept(sweeps?.idle),
    ]),
  );
