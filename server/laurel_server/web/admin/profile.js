/** A person's profile as a form. */
import { send } from "../shared/api.js";
import { ask } from "./ui.js";

/** Asks for a profile, changed from `user` or new, stores it, and calls `onDone` with it. */
export function editProfile(user, onDone) {
  const was = user ?? {};
  ask({
    title: user ? "Edit profile" : "New person",
    fields: [
      ...(user ? [] : [{ name: "userId", label: "Id", required: true }]),
      { name: "username", label: "Name", value: was.username },
      { name: "email", label: "Address", value: was.email },
      { name: "country", label: "Country, two letters", value: was.country },
      { name: "region", label: "Region", value: was.region },
      { name: "timezone", label: "Time zone", value: was.timezone },
      { name: "birthDate", label: "Born on, YYYY-MM-DD", value: was.birthDate },
      { name: "segments", label: "Segments, separated by blanks", value: (was.segments ?? []).join(" "), wide: true },
      { name: "avatarUrl", label: "Picture, an https address", value: was.avatarUrl, wide: true },
    ],
    submit: async ({ segments, ...given }) => {
      const userId = was.userId ?? given.userId;
      const changed = { ...was, ...given, userId, segments: segments.split(/\s+/).filter(Boolean) };
      const answer = await send("PUT", `/api/v1/admin/users/${encodeURIComponent(userId)}`, changed);
      onDone(answer.user);
    },
  });
}
