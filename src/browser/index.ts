// The public interface of `latchkey/browser`: a session that survives tabs, outages and reloads.

export {
  type Session,
  SessionError,
  type SessionErrorCode,
  type SessionEvent,
  type SessionListener,
  type SessionOptions,
  type TokenStorage,
} from './api.js';
export { createSession } from './session.js';
