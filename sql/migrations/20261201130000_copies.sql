-- Rows that are copied from another catalogue stay as they were there.

-- A time of change that is written together with what has changed stands.
CREATE OR REPLACE TRIGGER clips_touch BEFORE UPDATE ON public.clips
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION private.touch_updated_at();

-- While vectors are copied, nobody can tell yet whether every clip has some of the next model.
CREATE OR REPLACE TRIGGER clip_vectors_follow AFTER INSERT ON public.clip_vectors
FOR EACH STATEMENT WHEN (current_setting('video_assets.is_copy', true) IS DISTINCT FROM 'true')
EXECUTE FUNCTION private.follow_space();
