-- The one owner of an embedded catalogue; the same id as LOCAL_OWNER in video_assets/settings.py.

INSERT INTO auth.users (id, email, raw_user_meta_data)
VALUES ('00000000-0000-4000-8000-000000000001', 'local@localhost', '{"display_name": "Local owner"}')
ON CONFLICT (id) DO NOTHING;
