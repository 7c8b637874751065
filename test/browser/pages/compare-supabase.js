// The page of supabase's auth-js in the comparison, before a server that answers as its own does.

import { AuthClient } from '@supabase/auth-js';
import { keepAsking } from './keep-asking.js';

const client = new AuthClient({ url: `${location.origin}/gotrue`, storageKey: 'compared', autoRefreshToken: true });

keepAsking({
  signIn: async ({ access, refresh }) => {
    await client.setSession({ access_token: access, refresh_token: refresh });
  },
  isSignedOut: async () => localStorage.getItem('compared') === null,
  ask: async () => {
    const { data } = await client.getSession();
    const headers = { authorization: `Bearer ${data.session?.access_token}` };
    return (await fetch('/orders', { headers })).status;
  },
});
