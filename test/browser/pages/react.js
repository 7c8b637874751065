// A page of React in strict mode: a session that is made in an effect, and closed by its end.

import { createElement, StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createSession } from '../../../dist/src/browser/index.js';

let effects = 0;
let ends = 0;

function App() {
  const [state, setState] = useState('unknown');
  const [orders, setOrders] = useState('');
  const [session, setSession] = useState();
  useEffect(() => {
    effects++;
    const own = createSession({ mode: 'cookie' });
    setSession(own);
    own.on('signedIn', () => setState('signed in'));
    own.on('signedOut', () => {
      ends++;
      setState('signed out');
    });
    own.fetch('/orders').then(
      ({ status }) => setOrders(`${status}`),
      ({ code }) => setOrders(code),
    );
    return own.close;
  }, []);
  return [
    createElement('p', { key: 1, id: 'state' }, state),
    createElement('p', { key: 2, id: 'orders' }, orders),
    createElement('p', { key: 3, id: 'effects' }, effects),
    createElement('p', { key: 5, id: 'ends' }, ends),
    createElement('button', { key: 4, id: 'logout', type: 'button', onClick: () => session.logout() }, 'Log out'),
  ];
}

createRoot(document.querySelector('#root')).render(createElement(StrictMode, undefined, createElement(App)));
