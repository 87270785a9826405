"""Images made on this machine, in the way in which a pod makes them (build_image), for buildah's own storage."""
