// Loaded before a process under test: it exits once it has received SIGUSR2, however fast it stops.

const exit = process.exit.bind(process);
const released = new Promise<void>((resolve) => {
  process.once('SIGUSR2', () => resolve());
});

process.exit = ((code?: number) => void released.then(() => exit(code))) as typeof process.exit;
