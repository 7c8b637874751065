// The page of axios-auth-refresh in the comparison: tokens in localStorage, and the refresh as its README has it.

import axios from 'axios';
import { createAuthRefresh } from 'axios-auth-refresh';
import { keepAsking } from './keep-asking.js';

const api = axios.create();
api.interceptors.request.use((config) => {
  config.headers.Authorization = `Bearer ${localStorage.getItem('access')}`;
  return config;
});
createAuthRefresh(api, async (failedRequest) => {
  const answer = await axios
    .post('/api/auth/token/refresh/', { refresh: localStorage.getItem('refresh') })
    .catch((error) => {
      // The session is over: an app shows its login then.
      if (error.response?.status === 401) localStorage.clear();
      throw error;
    });
  localStorage.setItem('access', answer.data.access);
  localStorage.setItem('refresh', answer.data.refresh);
  failedRequest.response.config.headers.Authorization = `Bearer ${answer.data.access}`;
});

keepAsking({
  signIn: async ({ access, refresh }) => {
    localStorage.setItem('access', access);
    localStorage.setItem('refresh', refresh);
  },
  isSignedOut: async () => localStorage.getItem('refresh') === null,
  ask: async () => (await api.get('/orders')).status,
});
