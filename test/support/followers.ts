import { vi } from 'vitest';
import { Hub } from '../../src/engine/following/hub.ts';

/** Counts the followers that the engines of this test process hold. */
export function watchFollowers(): { readonly count: number; readonly most: number } & Disposable {
  const followers = { count: 0, most: 0, [Symbol.dispose]: () => spy.mockRestore() };
  const { listen } = Hub.prototype;
  const spy = vi.spyOn(Hub.prototype, 'listen').mockImplementation(function (this: Hub, id, listener) {
    const unlisten = listen.call(this, id, listener);
    followers.count++;
    followers.most = Math.max(followers.most, followers.count);
    return () => {
      followers.count--;
      unlisten();
    };
  });
  return followers;
}
