BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0007');
CREATE TABLE arrival_counts (
	decision TEXT NOT NULL, 
	class_id INTEGER NOT NULL, 
	arrivals INTEGER NOT NULL, 
	CONSTRAINT pk_arrival_counts PRIMARY KEY (decision, class_id)
);
INSERT INTO "arrival_counts" VALUES('filed',1,3);
INSERT INTO "arrival_counts" VALUES('filed',2,2);
INSERT INTO "arrival_counts" VALUES('unsure',2,1);
INSERT INTO "arrival_counts" VALUES('unsure',1,1);
INSERT INTO "arrival_counts" VALUES('rejected',0,2);
INSERT INTO "arrival_counts" VALUES('filed',3,1);
INSERT INTO "arrival_counts" VALUES('filed',0,0);
CREATE TABLE arrivals (
	id INTEGER NOT NULL, 
	image_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	name_bytes BLOB NOT NULL, 
	subfolder TEXT NOT NULL, 
	subfolder_bytes BLOB NOT NULL, 
	path TEXT NOT NULL, 
	path_bytes BLOB NOT NULL, 
	decision TEXT NOT NULL, 
	reason TEXT, 
	state TEXT NOT NULL, 
	model INTEGER, 
	class_id INTEGER, 
	confidence DOUBLE, 
	arrived_at TEXT NOT NULL, 
	filed_at TEXT, 
	missing_at TEXT, 
	dev BIGINT, 
	ino BIGINT, 
	size BIGINT, 
	mtime_ns BIGINT, 
	src_dev BIGINT, 
	src_ino BIGINT, 
	src_size BIGINT, 
	src_mtime_ns BIGINT, edited_from INTEGER, 
	CONSTRAINT pk_arrivals PRIMARY KEY (id), 
	CONSTRAINT ck_arrivals_decision CHECK (decision IN ('filed', 'unsure', 'rejected')), 
	CONSTRAINT ck_arrivals_state CHECK (state IN ('decided', 'filed')), 
	CONSTRAINT fk_arrivals_class_id FOREIGN KEY(class_id) REFERENCES classes (id), 
	CONSTRAINT fk_arrivals_image_id FOREIGN KEY(image_id) REFERENCES images (id), 
	CONSTRAINT fk_arrivals_model FOREIGN KEY(model) REFERENCES models (version)
);
INSERT INTO "arrivals" VALUES(1,1,'cat-1.jpg',X'6361742D312E6A7067','',X'','sorted/cat/cat-1.jpg',X'736F727465642F6361742F6361742D312E6A7067','filed',NULL,'filed',1,1,0.87,'2026-11-22T12:00:00.000Z','2026-11-28T10:04:55.303Z',NULL,65024,2361355,9,1795860295237021247,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "arrivals" VALUES(2,2,'cat-2.jpg',X'6361742D322E6A7067','',X'','sorted/cat/cat-2.jpg',X'736F727465642F6361742F6361742D322E6A7067','filed',NULL,'filed',1,1,0.87,'2026-11-22T12:00:00.000Z','2026-11-28T10:04:55.303Z',NULL,65024,2361356,9,1795860295237282284,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "arrivals" VALUES(3,3,'cat-3.jpg',X'6361742D332E6A7067','',X'','sorted/dog/cat-3.jpg',X'736F727465642F646F672F6361742D332E6A7067','filed',NULL,'filed',1,1,0.87,'2026-11-22T12:00:00.000Z','2026-11-28T10:04:55.304Z',NULL,65024,2361358,9,1795860295237532280,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "arrivals" VALUES(4,4,'dog-1.jpg',X'646F672D312E6A7067','',X'','sorted/dog/dog-1.jpg',X'736F727465642F646F672F646F672D312E6A7067','filed',NULL,'filed',1,2,0.87,'2026-11-22T12:00:00.000Z','2026-11-28T10:04:55.304Z',NULL,65024,2361359,9,1795860295237768460,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "arrivals" VALUES(5,5,'dog-2.jpg',X'646F672D322E6A7067','',X'','sorted/dog/dog-2.jpg',X'736F727465642F646F672F646F672D322E6A7067','filed',NULL,'filed',1,2,0.87,'2026-11-22T12:00:00.000Z','2026-11-28T10:04:55.304Z',NULL,65024,2361360,9,1795860295238004431,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "arrivals" VALUES(6,6,'unsure-dog-3.jpg',X'756E737572652D646F672D332E6A7067','',X'','unsure/unsure-dog-3.jpg',X'756E737572652F756E737572652D646F672D332E6A7067','unsure','confidence 0.41 is below 0.70','filed',1,2,0.41,'2026-11-22T12:00:00.000Z','2026-11-28T10:04:55.304Z',NULL,65024,2361361,16,1795860295238265317,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "arrivals" VALUES(7,7,'unsure-cat-4.jpg',X'756E737572652D6361742D342E6A7067','',X'','sorted/cat/unsure-cat-4.jpg',X'736F727465642F6361742F756E737572652D6361742D342E6A7067','unsure','confidence 0.41 is below 0.70','filed',1,1,0.41,'2026-11-22T12:00:00.000Z','2026-11-28T10:04:55.304Z',NULL,65024,2361362,16,1795860295238524801,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "arrivals" VALUES(8,8,'broken-1.jpg',X'62726F6B656E2D312E6A7067','',X'','rejected/broken-1.jpg',X'72656A65637465642F62726F6B656E2D312E6A7067','rejected','the file is cut short','filed',1,NULL,NULL,'2026-11-22T12:00:00.000Z','2026-11-28T10:04:55.304Z',NULL,65024,2361363,12,1795860295238821585,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "arrivals" VALUES(9,9,'snake-1.jpg',X'736E616B652D312E6A7067','',X'','sorted/snake/snake-1.jpg',X'736F727465642F736E616B652F736E616B652D312E6A7067','filed',NULL,'filed',1,3,0.87,'2026-11-22T12:00:00.000Z','2026-11-28T10:04:55.361Z',NULL,65024,2361364,11,1795860295324801879,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "arrivals" VALUES(10,10,'by-hand.jpg',X'62792D68616E642E6A7067','',X'','sorted/dog/by-hand.jpg',X'736F727465642F646F672F62792D68616E642E6A7067','rejected','put here by hand, but it can''t be read: the content is text, not a picture','filed',NULL,NULL,NULL,'2026-11-28T10:04:55.980Z','2026-11-28T10:04:55.980Z',NULL,65024,2367556,11,1600000000000000000,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE class_changes (
	id INTEGER NOT NULL, 
	run_id INTEGER, 
	class_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	old_name TEXT NOT NULL, 
	new_name TEXT NOT NULL, 
	merged_into INTEGER, 
	changed_at TEXT NOT NULL, 
	undone_at TEXT, 
	CONSTRAINT pk_class_changes PRIMARY KEY (id), 
	CONSTRAINT fk_class_changes_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_class_changes_class_id FOREIGN KEY(class_id) REFERENCES classes (id), 
	CONSTRAINT ck_class_changes_kind CHECK (kind IN ('renamed', 'retired', 'restored'))
);
CREATE TABLE classes (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	folder_dev BIGINT, 
	folder_ino BIGINT, 
	created_at TEXT NOT NULL, 
	retired_at TEXT, 
	CONSTRAINT pk_classes PRIMARY KEY (id)
);
INSERT INTO "classes" VALUES(1,'cat',65024,2367560,'2026-11-28T10:04:55.174Z',NULL);
INSERT INTO "classes" VALUES(2,'dog',65024,2367561,'2026-11-28T10:04:55.174Z',NULL);
INSERT INTO "classes" VALUES(3,'snake',65024,2367555,'2026-11-28T10:04:55.174Z',NULL);
CREATE TABLE decode_attempts (
	dev BIGINT NOT NULL, 
	ino BIGINT NOT NULL, 
	size BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	path TEXT NOT NULL, 
	path_bytes BLOB NOT NULL, 
	attempts INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	last_at TEXT NOT NULL, 
	CONSTRAINT pk_decode_attempts PRIMARY KEY (dev, ino, size, mtime_ns)
);
CREATE TABLE images (
	id INTEGER NOT NULL, 
	sha256 TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	width INTEGER, 
	height INTEGER, 
	format TEXT, 
	captured_at TEXT, 
	camera TEXT, 
	dhash TEXT, 
	split TEXT, 
	first_seen_at TEXT NOT NULL, 
	CONSTRAINT pk_images PRIMARY KEY (id), 
	CONSTRAINT ck_images_split CHECK (split IN ('train', 'holdout')), 
	CONSTRAINT uq_images_sha256 UNIQUE (sha256)
);
INSERT INTO "images" VALUES(1,'0a237629b13fc3980d0faaedec1af7d906b08ef1d7af290967d5a7b94bd309d3',9,8,8,'JPEG','2024-02-29T07:05:09','Canon','0000000000000000',NULL,'2026-11-28T10:04:55.273Z');
INSERT INTO "images" VALUES(2,'85848ab2241fbc72e82fe6f9a2634917cbbdef9c7f818102353a86ac9bd020dd',9,8,8,'JPEG','2024-02-29T07:05:09','Canon','0000000000000000',NULL,'2026-11-28T10:04:55.273Z');
INSERT INTO "images" VALUES(3,'a968b6605f3d1a15f76becce3544ca8643753d69bbe0ed450132724b1f88f311',9,8,8,'JPEG','2024-02-29T07:05:09','Canon','0000000000000000',NULL,'2026-11-28T10:04:55.273Z');
INSERT INTO "images" VALUES(4,'ade5309bcfdf4c60c12f4a704e672820307ab06a3035f54b4e0a050badba9b1f',9,8,8,'JPEG','2024-02-29T07:05:09','Canon','0000000000000000',NULL,'2026-11-28T10:04:55.273Z');
INSERT INTO "images" VALUES(5,'f3b29afcad9889de1e77f4fa53a589c29c947555cc425ed755d20f0dbebb2492',9,8,8,'JPEG','2024-02-29T07:05:09','Canon','0000000000000000',NULL,'2026-11-28T10:04:55.273Z');
INSERT INTO "images" VALUES(6,'4008e96907f3486a6f1a331d073bbc673d8b8d4d019c6215728a877421eb24b6',16,8,8,'JPEG','2024-02-29T07:05:09','Canon','0000000000000000',NULL,'2026-11-28T10:04:55.273Z');
INSERT INTO "images" VALUES(7,'22e467d6686940b483c0151ce440147a343261a7abc628af8a401788f4af766f',16,8,8,'JPEG','2024-02-29T07:05:09','Canon','0000000000000000',NULL,'2026-11-28T10:04:55.273Z');
INSERT INTO "images" VALUES(8,'0cfd89ba27958dda02577c4a0b094d180e78fac21302e870f9010cb1f72da99a',12,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-28T10:04:55.273Z');
INSERT INTO "images" VALUES(9,'2ac340bb89c19ecc5093ca48cb8ba2096212819c65bda46b3ce7a8206058a9c5',11,8,8,'JPEG','2024-02-29T07:05:09','Canon','0000000000000000',NULL,'2026-11-28T10:04:55.347Z');
INSERT INTO "images" VALUES(10,'ef8f08e22b85550c8d446b1a7002c26d9f9dd128ff01605c58c7769f25192644',11,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-28T10:04:55.980Z');
CREATE TABLE "labels" (
	id INTEGER NOT NULL, 
	image_id INTEGER NOT NULL, 
	class_id INTEGER, 
	kind TEXT NOT NULL, 
	source TEXT NOT NULL, 
	representative BOOLEAN NOT NULL, 
	run_id INTEGER, 
	labelled_at TEXT NOT NULL, 
	retracts INTEGER, 
	CONSTRAINT pk_labels PRIMARY KEY (id), 
	CONSTRAINT fk_labels_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_labels_image_id FOREIGN KEY(image_id) REFERENCES images (id), 
	CONSTRAINT ck_labels_source CHECK (source IN ('move', 'cli', 'csv', 'import', 'confirm', 'audit')), 
	CONSTRAINT fk_labels_class_id FOREIGN KEY(class_id) REFERENCES classes (id), 
	CONSTRAINT ck_labels_class_of_kind CHECK ((kind = 'label') = (class_id IS NOT NULL)), 
	CONSTRAINT fk_labels_retracts FOREIGN KEY(retracts) REFERENCES labels (id), 
	CONSTRAINT ck_labels_kind CHECK (kind IN ('label', 'withdrawn', 'never_use', 'retracted'))
);
INSERT INTO "labels" VALUES(1,10,2,'label','move',0,3,'2026-11-28T10:04:55.980Z',NULL);
INSERT INTO "labels" VALUES(2,10,NULL,'retracted','move',0,NULL,'2026-11-28T10:04:56.656Z',1);
INSERT INTO "labels" VALUES(3,7,1,'label','cli',0,3,'2026-11-28T10:04:56.733Z',NULL);
INSERT INTO "labels" VALUES(4,3,2,'label','cli',0,4,'2026-11-28T10:04:56.944Z',NULL);
INSERT INTO "labels" VALUES(5,1,1,'label','audit',1,6,'2026-11-28T10:04:57.582Z',NULL);
INSERT INTO "labels" VALUES(6,9,3,'label','audit',1,6,'2026-11-28T10:04:57.597Z',NULL);
CREATE TABLE models (
	version INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	backbone TEXT NOT NULL, 
	backbone_id TEXT NOT NULL, 
	precision TEXT NOT NULL, 
	parent INTEGER, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_models PRIMARY KEY (version), 
	CONSTRAINT fk_models_parent FOREIGN KEY(parent) REFERENCES models (version)
);
INSERT INTO "models" VALUES(1,'imagenet','efficientnet-lite0','0123abcd','float32',NULL,'2026-11-28T10:04:55.218Z');
INSERT INTO "models" VALUES(2,'imagenet','efficientnet-lite0','0123abcd','float32',1,'2026-11-28T10:04:57.634Z');
CREATE TABLE moves (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	arrival_id INTEGER, 
	cause TEXT NOT NULL, 
	model INTEGER, 
	mode TEXT NOT NULL, 
	state TEXT NOT NULL, 
	source TEXT NOT NULL, 
	source_bytes BLOB NOT NULL, 
	target TEXT NOT NULL, 
	target_bytes BLOB NOT NULL, 
	sha256 TEXT NOT NULL, 
	dev BIGINT NOT NULL, 
	ino BIGINT NOT NULL, 
	size BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	planned_at TEXT NOT NULL, 
	done_at TEXT, 
	CONSTRAINT pk_moves PRIMARY KEY (id), 
	CONSTRAINT ck_moves_mode CHECK (mode IN ('move', 'copy')), 
	CONSTRAINT ck_moves_state CHECK (state IN ('planned', 'done')), 
	CONSTRAINT fk_moves_arrival_id FOREIGN KEY(arrival_id) REFERENCES arrivals (id), 
	CONSTRAINT fk_moves_model FOREIGN KEY(model) REFERENCES models (version), 
	CONSTRAINT fk_moves_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "moves" VALUES(1,1,1,'file',1,'move','done','inbox/cat-1.jpg',X'696E626F782F6361742D312E6A7067','sorted/cat/cat-1.jpg',X'736F727465642F6361742F6361742D312E6A7067','0a237629b13fc3980d0faaedec1af7d906b08ef1d7af290967d5a7b94bd309d3',65024,2361355,9,1795860295237021247,'2026-11-28T10:04:55.273Z','2026-11-28T10:04:55.303Z');
INSERT INTO "moves" VALUES(2,1,2,'file',1,'move','done','inbox/cat-2.jpg',X'696E626F782F6361742D322E6A7067','sorted/cat/cat-2.jpg',X'736F727465642F6361742F6361742D322E6A7067','85848ab2241fbc72e82fe6f9a2634917cbbdef9c7f818102353a86ac9bd020dd',65024,2361356,9,1795860295237282284,'2026-11-28T10:04:55.273Z','2026-11-28T10:04:55.303Z');
INSERT INTO "moves" VALUES(3,1,3,'file',1,'move','done','inbox/cat-3.jpg',X'696E626F782F6361742D332E6A7067','sorted/cat/cat-3.jpg',X'736F727465642F6361742F6361742D332E6A7067','a968b6605f3d1a15f76becce3544ca8643753d69bbe0ed450132724b1f88f311',65024,2361358,9,1795860295237532280,'2026-11-28T10:04:55.273Z','2026-11-28T10:04:55.304Z');
INSERT INTO "moves" VALUES(4,1,4,'file',1,'move','done','inbox/dog-1.jpg',X'696E626F782F646F672D312E6A7067','sorted/dog/dog-1.jpg',X'736F727465642F646F672F646F672D312E6A7067','ade5309bcfdf4c60c12f4a704e672820307ab06a3035f54b4e0a050badba9b1f',65024,2361359,9,1795860295237768460,'2026-11-28T10:04:55.273Z','2026-11-28T10:04:55.304Z');
INSERT INTO "moves" VALUES(5,1,5,'file',1,'move','done','inbox/dog-2.jpg',X'696E626F782F646F672D322E6A7067','sorted/dog/dog-2.jpg',X'736F727465642F646F672F646F672D322E6A7067','f3b29afcad9889de1e77f4fa53a589c29c947555cc425ed755d20f0dbebb2492',65024,2361360,9,1795860295238004431,'2026-11-28T10:04:55.273Z','2026-11-28T10:04:55.304Z');
INSERT INTO "moves" VALUES(6,1,6,'file',1,'move','done','inbox/unsure-dog-3.jpg',X'696E626F782F756E737572652D646F672D332E6A7067','unsure/unsure-dog-3.jpg',X'756E737572652F756E737572652D646F672D332E6A7067','4008e96907f3486a6f1a331d073bbc673d8b8d4d019c6215728a877421eb24b6',65024,2361361,16,1795860295238265317,'2026-11-28T10:04:55.273Z','2026-11-28T10:04:55.304Z');
INSERT INTO "moves" VALUES(7,1,7,'file',1,'move','done','inbox/unsure-cat-4.jpg',X'696E626F782F756E737572652D6361742D342E6A7067','unsure/unsure-cat-4.jpg',X'756E737572652F756E737572652D6361742D342E6A7067','22e467d6686940b483c0151ce440147a343261a7abc628af8a401788f4af766f',65024,2361362,16,1795860295238524801,'2026-11-28T10:04:55.273Z','2026-11-28T10:04:55.304Z');
INSERT INTO "moves" VALUES(8,1,8,'file',1,'move','done','inbox/broken-1.jpg',X'696E626F782F62726F6B656E2D312E6A7067','rejected/broken-1.jpg',X'72656A65637465642F62726F6B656E2D312E6A7067','0cfd89ba27958dda02577c4a0b094d180e78fac21302e870f9010cb1f72da99a',65024,2361363,12,1795860295238821585,'2026-11-28T10:04:55.273Z','2026-11-28T10:04:55.304Z');
INSERT INTO "moves" VALUES(9,2,9,'file',1,'move','done','inbox/snake-1.jpg',X'696E626F782F736E616B652D312E6A7067','sorted/snake/snake-1.jpg',X'736F727465642F736E616B652F736E616B652D312E6A7067','2ac340bb89c19ecc5093ca48cb8ba2096212819c65bda46b3ce7a8206058a9c5',65024,2361364,11,1795860295324801879,'2026-11-28T10:04:55.347Z','2026-11-28T10:04:55.361Z');
INSERT INTO "moves" VALUES(10,3,7,'label',NULL,'move','done','unsure/unsure-cat-4.jpg',X'756E737572652F756E737572652D6361742D342E6A7067','sorted/cat/unsure-cat-4.jpg',X'736F727465642F6361742F756E737572652D6361742D342E6A7067','22e467d6686940b483c0151ce440147a343261a7abc628af8a401788f4af766f',65024,2361362,16,1795860295238524801,'2026-11-28T10:04:56.733Z','2026-11-28T10:04:56.755Z');
INSERT INTO "moves" VALUES(11,4,3,'label',NULL,'move','done','sorted/cat/cat-3.jpg',X'736F727465642F6361742F6361742D332E6A7067','sorted/dog/cat-3.jpg',X'736F727465642F646F672F6361742D332E6A7067','a968b6605f3d1a15f76becce3544ca8643753d69bbe0ed450132724b1f88f311',65024,2361358,9,1795860295237532280,'2026-11-28T10:04:56.944Z','2026-11-28T10:04:56.967Z');
CREATE TABLE predictions (
	id INTEGER NOT NULL, 
	image_id INTEGER NOT NULL, 
	model INTEGER NOT NULL, 
	class_id INTEGER, 
	confidence DOUBLE NOT NULL, 
	decision TEXT NOT NULL, 
	reason TEXT, 
	top_k TEXT NOT NULL, 
	predicted_at TEXT NOT NULL, unlikeness DOUBLE, 
	CONSTRAINT pk_predictions PRIMARY KEY (id), 
	CONSTRAINT ck_predictions_decision CHECK (decision IN ('filed', 'unsure')), 
	CONSTRAINT fk_predictions_class_id FOREIGN KEY(class_id) REFERENCES classes (id), 
	CONSTRAINT fk_predictions_image_id FOREIGN KEY(image_id) REFERENCES images (id), 
	CONSTRAINT fk_predictions_model FOREIGN KEY(model) REFERENCES models (version), 
	CONSTRAINT uq_predictions_image_id_model UNIQUE (image_id, model)
);
INSERT INTO "predictions" VALUES(1,1,1,1,0.87,'filed',NULL,'[{"label":"cat","confidence":0.87,"class_id":1}]','2026-11-28T10:04:55.273Z',NULL);
INSERT INTO "predictions" VALUES(2,2,1,1,0.87,'filed',NULL,'[{"label":"cat","confidence":0.87,"class_id":1}]','2026-11-28T10:04:55.273Z',NULL);
INSERT INTO "predictions" VALUES(3,3,1,1,0.87,'filed',NULL,'[{"label":"cat","confidence":0.87,"class_id":1}]','2026-11-28T10:04:55.273Z',NULL);
INSERT INTO "predictions" VALUES(4,4,1,2,0.87,'filed',NULL,'[{"label":"dog","confidence":0.87,"class_id":2}]','2026-11-28T10:04:55.273Z',NULL);
INSERT INTO "predictions" VALUES(5,5,1,2,0.87,'filed',NULL,'[{"label":"dog","confidence":0.87,"class_id":2}]','2026-11-28T10:04:55.273Z',NULL);
INSERT INTO "predictions" VALUES(6,6,1,2,0.41,'unsure','confidence 0.41 is below 0.70','[{"label":"dog","confidence":0.41,"class_id":2}]','2026-11-28T10:04:55.273Z',NULL);
INSERT INTO "predictions" VALUES(7,7,1,1,0.41,'unsure','confidence 0.41 is below 0.70','[{"label":"cat","confidence":0.41,"class_id":1}]','2026-11-28T10:04:55.273Z',NULL);
INSERT INTO "predictions" VALUES(8,9,1,3,0.87,'filed',NULL,'[{"label":"snake","confidence":0.87,"class_id":3}]','2026-11-28T10:04:55.347Z',NULL);
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	started_at TEXT NOT NULL, 
	ended_at TEXT, 
	summary TEXT, 
	CONSTRAINT pk_runs PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES(1,'run','2026-11-28T10:04:55.244Z',NULL,NULL);
INSERT INTO "runs" VALUES(2,'run','2026-11-28T10:04:55.329Z',NULL,NULL);
INSERT INTO "runs" VALUES(3,'label','2026-11-28T10:04:55.594Z','2026-11-28T10:04:56.780Z','1 labelled, 1 file moved');
INSERT INTO "runs" VALUES(4,'label','2026-11-28T10:04:56.872Z','2026-11-28T10:04:56.989Z','1 labelled, 1 file moved');
INSERT INTO "runs" VALUES(5,'audit','2026-11-28T10:04:57.078Z','2026-11-28T10:04:57.198Z','{"seed": 1, "candidates": 8, "drawn": [3, 5, 1, 9, 6]}');
INSERT INTO "runs" VALUES(6,'audit','2026-11-28T10:04:57.521Z','2026-11-28T10:04:57.565Z','{"seed": 2, "candidates": 8, "drawn": [1, 9]}');
CREATE UNIQUE INDEX uq_classes_name_live ON classes (name) WHERE retired_at IS NULL;
CREATE INDEX ix_arrivals_arrived_at ON arrivals (arrived_at, id, confidence);
CREATE INDEX ix_arrivals_class_id ON arrivals (class_id, arrived_at, id, decision, confidence);
CREATE INDEX ix_arrivals_decided ON arrivals (id) WHERE state = 'decided';
CREATE INDEX ix_arrivals_decision ON arrivals (decision, arrived_at, id);
CREATE INDEX ix_arrivals_image_id ON arrivals (image_id, class_id);
CREATE INDEX ix_arrivals_ino ON arrivals (ino);
CREATE INDEX ix_arrivals_model ON arrivals (model, arrived_at, id, decision, class_id);
CREATE INDEX ix_arrivals_path_bytes ON arrivals (path_bytes);
CREATE INDEX ix_arrivals_src_ino ON arrivals (src_ino) WHERE src_ino IS NOT NULL;
CREATE INDEX ix_moves_arrival_id ON moves (arrival_id);
CREATE INDEX ix_moves_planned ON moves (id) WHERE state = 'planned';
CREATE INDEX ix_moves_run_id ON moves (run_id);
CREATE INDEX ix_class_changes_run_id ON class_changes (run_id);
CREATE INDEX ix_arrivals_missing ON arrivals (path_bytes) WHERE missing_at IS NOT NULL;
CREATE INDEX ix_labels_labelled_at ON labels (labelled_at);
CREATE INDEX ix_labels_image_id ON labels (image_id, id, class_id);
CREATE INDEX ix_labels_retracts ON labels (retracts) WHERE retracts IS NOT NULL;
CREATE INDEX ix_arrivals_edited_from ON arrivals (edited_from) WHERE edited_from IS NOT NULL;
CREATE VIEW prediction_log AS SELECT arrivals.id, arrivals.name, arrivals.path, images.sha256, predicted.name AS label, arrivals.confidence, arrivals.decision, arrivals.reason, arrivals.model, arrivals.arrived_at AS arrived_at, predictions.predicted_at AS predicted_at, arrivals.filed_at AS filed_at, human.name AS human_label, CASE WHEN (human.id IS NOT NULL) THEN human.id = arrivals.class_id END AS is_correct, arrivals.subfolder, images.captured_at, images.camera, CASE WHEN (word.id IS NOT NULL) THEN human.name WHEN (arrivals.decision = 'filed') THEN coalesce(merged_into.name, predicted.name) END AS final_label, arrivals.missing_at AS missing_at 
FROM arrivals JOIN images ON images.id = arrivals.image_id LEFT OUTER JOIN classes AS predicted ON predicted.id = arrivals.class_id LEFT OUTER JOIN classes AS merged_into ON predicted.retired_at IS NOT NULL AND merged_into.id = (SELECT class_changes.merged_into 
FROM class_changes 
WHERE class_changes.class_id = predicted.id AND class_changes.kind = 'retired' ORDER BY class_changes.id DESC
 LIMIT 1 OFFSET 0) LEFT OUTER JOIN predictions ON predictions.image_id = arrivals.image_id AND predictions.model = arrivals.model LEFT OUTER JOIN labels AS word ON word.id = (SELECT labels.id 
FROM labels 
WHERE labels.image_id = arrivals.image_id AND labels.kind != 'retracted' AND NOT (EXISTS (SELECT * 
FROM labels AS retraction 
WHERE retraction.retracts = labels.id AND retraction.kind = 'retracted')) ORDER BY labels.id DESC
 LIMIT 1 OFFSET 0) LEFT OUTER JOIN classes AS human ON human.id = word.class_id 
WHERE arrivals.state = 'filed';
CREATE TRIGGER arrival_counts_insert AFTER INSERT ON arrivals BEGIN 
    INSERT INTO arrival_counts (decision, class_id, arrivals)
    SELECT NEW.decision, coalesce(NEW.class_id, 0), 1 WHERE NEW.state = 'filed'
    ON CONFLICT (decision, class_id) DO UPDATE SET arrivals = arrivals + 1;
 END;
CREATE TRIGGER arrival_counts_delete AFTER DELETE ON arrivals BEGIN 
    UPDATE arrival_counts SET arrivals = arrivals - 1 WHERE OLD.state = 'filed'
    AND decision = OLD.decision AND class_id = coalesce(OLD.class_id, 0);
 END;
CREATE TRIGGER arrival_counts_update AFTER UPDATE OF state, decision, class_id ON arrivals BEGIN 
    UPDATE arrival_counts SET arrivals = arrivals - 1 WHERE OLD.state = 'filed'
    AND decision = OLD.decision AND class_id = coalesce(OLD.class_id, 0);
 
    INSERT INTO arrival_counts (decision, class_id, arrivals)
    SELECT NEW.decision, coalesce(NEW.class_id, 0), 1 WHERE NEW.state = 'filed'
    ON CONFLICT (decision, class_id) DO UPDATE SET arrivals = arrivals + 1;
 END;
COMMIT;
