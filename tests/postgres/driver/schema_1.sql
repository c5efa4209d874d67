-- A schema of version 1 with rows in it, as pg_dump 15 wrote it from a database that the library made then:
-- examples/data, imported, and a task definition. tests/postgres/test_schema.py migrates it.
CREATE SCHEMA old;
CREATE TABLE old.account_settings (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C",
    principal_arn text NOT NULL COLLATE pg_catalog."C",
    type text COLLATE pg_catalog."C",
    is_default boolean NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.account_settings ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.account_settings_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.attributes (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    value text COLLATE pg_catalog."C",
    target_type text NOT NULL COLLATE pg_catalog."C",
    target_id text NOT NULL COLLATE pg_catalog."C",
    cluster text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.attributes ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.attributes_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.clusters (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    arn text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    registered_container_instances_count bigint NOT NULL,
    running_tasks_count bigint NOT NULL,
    pending_tasks_count bigint NOT NULL,
    active_services_count bigint NOT NULL,
    capacity_providers text COLLATE pg_catalog."C",
    default_capacity_provider_strategy text COLLATE pg_catalog."C",
    settings text COLLATE pg_catalog."C",
    configuration text COLLATE pg_catalog."C",
    service_connect_defaults text COLLATE pg_catalog."C",
    statistics text COLLATE pg_catalog."C",
    attachments text COLLATE pg_catalog."C",
    attachments_status text COLLATE pg_catalog."C",
    tags text COLLATE pg_catalog."C",
    k8s_cluster_name text COLLATE pg_catalog."C",
    localstack_state text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.clusters ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.clusters_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.container_instances (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    arn text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    cluster_arn text NOT NULL COLLATE pg_catalog."C",
    ec2_instance_id text COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    status_reason text COLLATE pg_catalog."C",
    agent_connected boolean NOT NULL,
    agent_update_status text COLLATE pg_catalog."C",
    running_tasks_count bigint NOT NULL,
    pending_tasks_count bigint NOT NULL,
    version_info text COLLATE pg_catalog."C",
    registered_resources text COLLATE pg_catalog."C",
    remaining_resources text COLLATE pg_catalog."C",
    attributes text COLLATE pg_catalog."C",
    attachments text COLLATE pg_catalog."C",
    capacity_provider_name text COLLATE pg_catalog."C",
    health_status text COLLATE pg_catalog."C",
    tags text COLLATE pg_catalog."C",
    registered_at bigint NOT NULL,
    deregistered_at bigint,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.container_instances ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.container_instances_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.elbv2_associations (
    tenant text NOT NULL COLLATE pg_catalog."C",
    target_group_arn text NOT NULL COLLATE pg_catalog."C",
    load_balancer_arn text NOT NULL COLLATE pg_catalog."C",
    listener_arn text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE old.elbv2_listeners (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    arn text NOT NULL COLLATE pg_catalog."C",
    load_balancer_arn text NOT NULL COLLATE pg_catalog."C",
    port bigint NOT NULL,
    protocol text NOT NULL COLLATE pg_catalog."C",
    ssl_policy text COLLATE pg_catalog."C",
    certificates text COLLATE pg_catalog."C",
    default_actions text COLLATE pg_catalog."C",
    alpn_policy text COLLATE pg_catalog."C",
    mutual_authentication text COLLATE pg_catalog."C",
    tags text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.elbv2_listeners ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.elbv2_listeners_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.elbv2_load_balancers (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    arn text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    scheme text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    state_reason text COLLATE pg_catalog."C",
    dns_name text COLLATE pg_catalog."C",
    canonical_hosted_zone_id text COLLATE pg_catalog."C",
    vpc_id text COLLATE pg_catalog."C",
    subnets text COLLATE pg_catalog."C",
    availability_zones text COLLATE pg_catalog."C",
    security_groups text COLLATE pg_catalog."C",
    ip_address_type text NOT NULL COLLATE pg_catalog."C",
    enable_prefix_for_ipv6_source_nat text COLLATE pg_catalog."C",
    tags text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.elbv2_load_balancers ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.elbv2_load_balancers_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.elbv2_rules (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    arn text NOT NULL COLLATE pg_catalog."C",
    listener_arn text NOT NULL COLLATE pg_catalog."C",
    priority bigint NOT NULL,
    conditions text NOT NULL COLLATE pg_catalog."C",
    actions text NOT NULL COLLATE pg_catalog."C",
    transforms text COLLATE pg_catalog."C",
    is_default boolean NOT NULL,
    tags text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.elbv2_rules ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.elbv2_rules_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.elbv2_target_groups (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    arn text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    protocol text NOT NULL COLLATE pg_catalog."C",
    protocol_version text COLLATE pg_catalog."C",
    port bigint NOT NULL,
    target_type text NOT NULL COLLATE pg_catalog."C",
    vpc_id text COLLATE pg_catalog."C",
    ip_address_type text COLLATE pg_catalog."C",
    health_check_enabled boolean NOT NULL,
    health_check_protocol text COLLATE pg_catalog."C",
    health_check_port text NOT NULL COLLATE pg_catalog."C",
    health_check_path text NOT NULL COLLATE pg_catalog."C",
    health_check_interval_seconds bigint NOT NULL,
    health_check_timeout_seconds bigint NOT NULL,
    healthy_threshold_count bigint NOT NULL,
    unhealthy_threshold_count bigint NOT NULL,
    matcher text NOT NULL COLLATE pg_catalog."C",
    matcher_grpc_code text COLLATE pg_catalog."C",
    load_balancer_arns text COLLATE pg_catalog."C",
    tags text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.elbv2_target_groups ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.elbv2_target_groups_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.elbv2_targets (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    target_group_arn text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    port bigint NOT NULL,
    availability_zone text COLLATE pg_catalog."C",
    health_check_port text COLLATE pg_catalog."C",
    health_state text NOT NULL COLLATE pg_catalog."C",
    health_reason text COLLATE pg_catalog."C",
    health_description text COLLATE pg_catalog."C",
    anomaly_detection text COLLATE pg_catalog."C",
    administrative_override text COLLATE pg_catalog."C",
    registered_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.elbv2_targets ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.elbv2_targets_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.events (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    event_type text NOT NULL COLLATE pg_catalog."C",
    resource_arn text NOT NULL COLLATE pg_catalog."C",
    resource_type text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL COLLATE pg_catalog."C",
    "timestamp" bigint NOT NULL,
    data text COLLATE pg_catalog."C",
    correlation_id text COLLATE pg_catalog."C",
    user_identity text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.events ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.events_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.node_tasks (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    image text NOT NULL COLLATE pg_catalog."C",
    env text COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    node_id text COLLATE pg_catalog."C",
    container_id text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    started_at bigint,
    finished_at bigint,
    error text COLLATE pg_catalog."C",
    liveness_probe text COLLATE pg_catalog."C",
    readiness_probe text COLLATE pg_catalog."C",
    restart_policy text COLLATE pg_catalog."C",
    health_status text COLLATE pg_catalog."C",
    ports text COLLATE pg_catalog."C",
    resources text COLLATE pg_catalog."C",
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.node_tasks ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.node_tasks_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.nodes (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    hostname text NOT NULL COLLATE pg_catalog."C",
    port bigint NOT NULL,
    status text NOT NULL COLLATE pg_catalog."C",
    capacity bigint,
    running_tasks bigint NOT NULL,
    last_heartbeat bigint NOT NULL,
    resources text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.nodes ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.nodes_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.resource_tags (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    resource_arn text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    value text COLLATE pg_catalog."C",
    created_at bigint NOT NULL
);
ALTER TABLE old.resource_tags ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.resource_tags_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.schema_version (
    version bigint NOT NULL,
    applied_at bigint NOT NULL
);
CREATE TABLE old.services (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    arn text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    cluster_arn text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    desired_count bigint NOT NULL,
    running_count bigint NOT NULL,
    pending_count bigint NOT NULL,
    task_definition text NOT NULL COLLATE pg_catalog."C",
    launch_type text COLLATE pg_catalog."C",
    platform_version text COLLATE pg_catalog."C",
    platform_family text COLLATE pg_catalog."C",
    role_arn text COLLATE pg_catalog."C",
    scheduling_strategy text NOT NULL COLLATE pg_catalog."C",
    deployment_configuration text COLLATE pg_catalog."C",
    deployment_controller text COLLATE pg_catalog."C",
    deployments text COLLATE pg_catalog."C",
    task_sets text COLLATE pg_catalog."C",
    events text COLLATE pg_catalog."C",
    load_balancers text COLLATE pg_catalog."C",
    service_registries text COLLATE pg_catalog."C",
    network_configuration text COLLATE pg_catalog."C",
    capacity_provider_strategy text COLLATE pg_catalog."C",
    service_connect_configuration text COLLATE pg_catalog."C",
    volume_configurations text COLLATE pg_catalog."C",
    placement_constraints text COLLATE pg_catalog."C",
    placement_strategy text COLLATE pg_catalog."C",
    health_check_grace_period_seconds bigint,
    enable_ecs_managed_tags boolean NOT NULL,
    enable_execute_command boolean NOT NULL,
    propagate_tags text COLLATE pg_catalog."C",
    availability_zone_rebalancing text COLLATE pg_catalog."C",
    tags text COLLATE pg_catalog."C",
    created_by text COLLATE pg_catalog."C",
    deployment_name text COLLATE pg_catalog."C",
    k8s_namespace text COLLATE pg_catalog."C",
    node_ports text COLLATE pg_catalog."C",
    has_node_port boolean NOT NULL,
    assign_public_ip boolean NOT NULL,
    service_registry_metadata text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.services ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.services_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.task_definition_families (
    tenant text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    region text NOT NULL COLLATE pg_catalog."C",
    family text NOT NULL COLLATE pg_catalog."C",
    last_revision bigint NOT NULL
);
CREATE TABLE old.task_definitions (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    arn text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    family text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    status text NOT NULL COLLATE pg_catalog."C",
    task_role_arn text COLLATE pg_catalog."C",
    execution_role_arn text COLLATE pg_catalog."C",
    network_mode text NOT NULL COLLATE pg_catalog."C",
    container_definitions text NOT NULL COLLATE pg_catalog."C",
    volumes text COLLATE pg_catalog."C",
    placement_constraints text COLLATE pg_catalog."C",
    requires_compatibilities text COLLATE pg_catalog."C",
    compatibilities text COLLATE pg_catalog."C",
    cpu text COLLATE pg_catalog."C",
    memory text COLLATE pg_catalog."C",
    pid_mode text COLLATE pg_catalog."C",
    ipc_mode text COLLATE pg_catalog."C",
    proxy_configuration text COLLATE pg_catalog."C",
    inference_accelerators text COLLATE pg_catalog."C",
    runtime_platform text COLLATE pg_catalog."C",
    ephemeral_storage text COLLATE pg_catalog."C",
    requires_attributes text COLLATE pg_catalog."C",
    enable_fault_injection boolean NOT NULL,
    tags text COLLATE pg_catalog."C",
    registered_at bigint NOT NULL,
    registered_by text COLLATE pg_catalog."C",
    deregistered_at bigint,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.task_definitions ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.task_definitions_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.task_logs (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    task_arn text NOT NULL COLLATE pg_catalog."C",
    container_name text NOT NULL COLLATE pg_catalog."C",
    "timestamp" bigint NOT NULL,
    log_line text NOT NULL COLLATE pg_catalog."C",
    log_level text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.task_logs ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.task_logs_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.task_sets (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    arn text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    service_arn text NOT NULL COLLATE pg_catalog."C",
    cluster_arn text NOT NULL COLLATE pg_catalog."C",
    external_id text COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    task_definition text NOT NULL COLLATE pg_catalog."C",
    launch_type text COLLATE pg_catalog."C",
    platform_version text COLLATE pg_catalog."C",
    platform_family text COLLATE pg_catalog."C",
    scale text NOT NULL COLLATE pg_catalog."C",
    network_configuration text COLLATE pg_catalog."C",
    load_balancers text COLLATE pg_catalog."C",
    service_registries text COLLATE pg_catalog."C",
    capacity_provider_strategy text COLLATE pg_catalog."C",
    fargate_ephemeral_storage text COLLATE pg_catalog."C",
    computed_desired_count bigint NOT NULL,
    pending_count bigint NOT NULL,
    running_count bigint NOT NULL,
    stability_status text COLLATE pg_catalog."C",
    stability_status_at bigint,
    started_by text COLLATE pg_catalog."C",
    tags text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.task_sets ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.task_sets_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE old.tasks (
    tenant text NOT NULL COLLATE pg_catalog."C",
    rid bigint NOT NULL,
    arn text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    cluster_arn text NOT NULL COLLATE pg_catalog."C",
    task_definition_arn text NOT NULL COLLATE pg_catalog."C",
    service_arn text COLLATE pg_catalog."C",
    container_instance_arn text COLLATE pg_catalog."C",
    containers text NOT NULL COLLATE pg_catalog."C",
    last_status text NOT NULL COLLATE pg_catalog."C",
    desired_status text NOT NULL COLLATE pg_catalog."C",
    cpu text COLLATE pg_catalog."C",
    memory text COLLATE pg_catalog."C",
    launch_type text NOT NULL COLLATE pg_catalog."C",
    capacity_provider_name text COLLATE pg_catalog."C",
    platform_version text COLLATE pg_catalog."C",
    platform_family text COLLATE pg_catalog."C",
    availability_zone text COLLATE pg_catalog."C",
    task_group text COLLATE pg_catalog."C",
    started_by text COLLATE pg_catalog."C",
    started_at bigint,
    stopping_at bigint,
    stopped_at bigint,
    stop_code text COLLATE pg_catalog."C",
    stopped_reason text COLLATE pg_catalog."C",
    connectivity text COLLATE pg_catalog."C",
    connectivity_at bigint,
    pull_started_at bigint,
    pull_stopped_at bigint,
    execution_stopped_at bigint,
    health_status text COLLATE pg_catalog."C",
    overrides text COLLATE pg_catalog."C",
    attachments text COLLATE pg_catalog."C",
    attributes text COLLATE pg_catalog."C",
    inference_accelerators text COLLATE pg_catalog."C",
    ephemeral_storage text COLLATE pg_catalog."C",
    service_registries text COLLATE pg_catalog."C",
    enable_execute_command boolean NOT NULL,
    tags text COLLATE pg_catalog."C",
    pod_name text COLLATE pg_catalog."C",
    k8s_namespace text COLLATE pg_catalog."C",
    family text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    extra text COLLATE pg_catalog."C",
    omitted bigint NOT NULL
);
ALTER TABLE old.tasks ALTER COLUMN rid ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME old.tasks_rid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO old.account_settings OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'dc972d92-e8f3-4a1f-9237-2e44cb73f74e', 'containerInsights', 'enabled', 'arn:aws:iam::000000000000:root', 'user', false, 1795274051035466, 1795274051035466, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.account_settings OVERRIDING SYSTEM VALUE VALUES ('default', 2, '449bc76e-0775-4a7d-b46b-30a69bdf2233', 'awsvpcTrunking', 'disabled', 'arn:aws:iam::000000000000:root', 'user', false, 1795274051050357, 1795274051050357, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.attributes OVERRIDING SYSTEM VALUE VALUES ('default', 1, '615559e3-a148-4265-800b-8880113a2470', 'stack', 'production', 'container-instance', 'arn:aws:ecs:us-east-1:000000000000:container-instance/shop/0a51f6d2c9b74e3fa1b0c2d3e4f50617', 'shop', 1795274051052586, 1795274051052586, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.attributes OVERRIDING SYSTEM VALUE VALUES ('default', 2, 'ab8131fc-431d-4daf-b427-de1b53b35d27', 'stack', 'production', 'container-instance', 'arn:aws:ecs:us-east-1:000000000000:container-instance/shop/0b62a7e3dac85f40b2c1d3e4f5061728', 'shop', 1795274051056254, 1795274051056254, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.clusters OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'a4755091-fd4b-41f6-b5a6-d2209d7fe891', 'shop', 'ACTIVE', 2, 5, 1, 3, '["FARGATE", "FARGATE_SPOT"]', '[{"capacityProvider": "FARGATE", "weight": 1, "base": 1}]', '[{"name": "containerInsights", "value": "enabled"}]', NULL, NULL, NULL, NULL, NULL, '[{"key": "team", "value": "storefront"}, {"key": "stage", "value": "production"}]', NULL, NULL, 1795274051062988, 1795274051062988, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.clusters OVERRIDING SYSTEM VALUE VALUES ('default', 2, 'arn:aws:ecs:us-east-1:000000000000:cluster/night-jobs', 'c907895c-ad2b-494c-afe6-b3598e5faf28', 'night-jobs', 'ACTIVE', 0, 0, 0, 0, NULL, NULL, '[{"name": "containerInsights", "value": "disabled"}]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795274051062988, 1795274051062988, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.container_instances OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'arn:aws:ecs:us-east-1:000000000000:container-instance/shop/0a51f6d2c9b74e3fa1b0c2d3e4f50617', '0a51f6d2c9b74e3fa1b0c2d3e4f50617', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'i-0123456789abcdef0', 'ACTIVE', NULL, true, NULL, 1, 0, '{"agentVersion": "1.82.0", "dockerVersion": "DockerVersion: 25.0.3"}', '[{"name": "CPU", "type": "INTEGER", "integerValue": 2048}, {"name": "MEMORY", "type": "INTEGER", "integerValue": 7680}]', '[{"name": "CPU", "type": "INTEGER", "integerValue": 1792}, {"name": "MEMORY", "type": "INTEGER", "integerValue": 7168}]', '[{"name": "ecs.availability-zone", "value": "us-east-1a"}, {"name": "stack", "value": "production"}]', NULL, NULL, NULL, NULL, 1717228200500000, NULL, 1795274051080446, 17, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.container_instances OVERRIDING SYSTEM VALUE VALUES ('default', 2, 'arn:aws:ecs:us-east-1:000000000000:container-instance/shop/0b62a7e3dac85f40b2c1d3e4f5061728', '0b62a7e3dac85f40b2c1d3e4f5061728', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'i-0fedcba9876543210', 'DRAINING', NULL, true, NULL, 0, 0, '{"agentVersion": "1.82.0", "dockerVersion": "DockerVersion: 25.0.3"}', '[{"name": "CPU", "type": "INTEGER", "integerValue": 2048}, {"name": "MEMORY", "type": "INTEGER", "integerValue": 7680}]', '[{"name": "CPU", "type": "INTEGER", "integerValue": 2048}, {"name": "MEMORY", "type": "INTEGER", "integerValue": 7680}]', '[{"name": "ecs.availability-zone", "value": "us-east-1b"}, {"name": "stack", "value": "production"}]', NULL, NULL, NULL, NULL, 1717228260500000, NULL, 1795274051080446, 18, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.elbv2_associations VALUES ('default', 'arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/6d0ecf831eec9f09', 'arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/50dc6c495c0c9188', 'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2');
INSERT INTO old.elbv2_associations VALUES ('default', 'arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/6d0ecf831eec9f09', 'arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/50dc6c495c0c9188', '');
INSERT INTO old.elbv2_associations VALUES ('default', 'arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/api/6d0ecf831eec9f08', 'arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/50dc6c495c0c9188', '');
INSERT INTO old.elbv2_listeners OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2', 'arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/50dc6c495c0c9188', 443, 'HTTPS', 'ELBSecurityPolicy-TLS13-1-2-2021-06', '[{"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/1b2"}]', '[{"Type": "forward", "TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/6d0ecf831eec9f09"}]', NULL, NULL, NULL, 1795274051090251, 1795274051090251, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.elbv2_load_balancers OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/50dc6c495c0c9188', 'shop', 'application', 'internet-facing', 'active', NULL, 'shop-1234567890.us-east-1.elb.amazonaws.com', 'Z35SXDOTRQ7X7K', 'vpc-0d4', NULL, '[{"ZoneName": "us-east-1a", "SubnetId": "subnet-0a1", "LoadBalancerAddresses": []}, {"ZoneName": "us-east-1b", "SubnetId": "subnet-0b2", "LoadBalancerAddresses": []}]', '["sg-0c3"]', 'ipv4', NULL, '[{"Key":"team","Value":"storefront"},{"Key":"stage","Value":"production"}]', 1717229730430000, 1795274051128446, 3, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.elbv2_rules OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabe1', 'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2', 10, '[{"Field": "path-pattern", "Values": ["/api/*"]}]', '[{"Type": "forward", "TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/api/6d0ecf831eec9f08"}]', NULL, false, NULL, 1795274051116925, 1795274051116925, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.elbv2_rules OVERRIDING SYSTEM VALUE VALUES ('default', 2, 'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabe2', 'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2', 20, '[{"Field": "host-header", "Values": ["old.shop.example"]}]', '[{"Type": "redirect", "RedirectConfig": {"Host": "shop.example", "StatusCode": "HTTP_301"}}]', NULL, false, NULL, 1795274051116925, 1795274051116925, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.elbv2_rules OVERRIDING SYSTEM VALUE VALUES ('default', 3, 'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabe3', 'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2', 50000, '[]', '[{"Type": "forward", "TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/6d0ecf831eec9f09"}]', NULL, true, NULL, 1795274051116925, 1795274051116925, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.elbv2_target_groups OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/6d0ecf831eec9f09', 'web', 'HTTP', 'HTTP1', 8080, 'ip', 'vpc-0d4', NULL, true, 'HTTP', 'traffic-port', '/health', 15, 5, 3, 2, '200-299', NULL, '["arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/50dc6c495c0c9188"]', NULL, 1795274051130971, 1795274051130971, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.elbv2_target_groups OVERRIDING SYSTEM VALUE VALUES ('default', 2, 'arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/api/6d0ecf831eec9f08', 'api', 'HTTP', NULL, 9000, 'ip', 'vpc-0d4', NULL, true, NULL, 'traffic-port', '/live', 30, 5, 2, 5, '200', NULL, '["arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/50dc6c495c0c9188"]', NULL, 1795274051152686, 1795274051152686, 1, 'us-east-1', '000000000000', NULL, 128256);
INSERT INTO old.elbv2_targets OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/6d0ecf831eec9f09', '10.0.1.11', 8080, 'us-east-1a', '8080', 'healthy', NULL, NULL, NULL, NULL, 1795274051154513, 1795274051154513, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.elbv2_targets OVERRIDING SYSTEM VALUE VALUES ('default', 2, 'arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/6d0ecf831eec9f09', '10.0.1.12', 8080, 'us-east-1b', '8080', 'unhealthy', 'Target.ResponseCodeMismatch', 'Health checks failed with these codes: [503]', NULL, NULL, 1795274051156782, 1795274051156782, 1, 'us-east-1', '000000000000', NULL, 0);
INSERT INTO old.resource_tags OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'stage', 'production', 1795274051062988);
INSERT INTO old.resource_tags OVERRIDING SYSTEM VALUE VALUES ('default', 2, 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'team', 'storefront', 1795274051062988);
INSERT INTO old.resource_tags OVERRIDING SYSTEM VALUE VALUES ('default', 3, 'arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/50dc6c495c0c9188', 'stage', 'production', 1795274051128446);
INSERT INTO old.resource_tags OVERRIDING SYSTEM VALUE VALUES ('default', 4, 'arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/50dc6c495c0c9188', 'team', 'storefront', 1795274051128446);
INSERT INTO old.resource_tags OVERRIDING SYSTEM VALUE VALUES ('default', 5, 'arn:aws:ecs:us-east-1:000000000000:service/shop/web', 'team', 'storefront', 1795274051157554);
INSERT INTO old.resource_tags OVERRIDING SYSTEM VALUE VALUES ('default', 6, 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1', 'team', 'storefront', 1795274051203018);
INSERT INTO old.resource_tags OVERRIDING SYSTEM VALUE VALUES ('default', 7, 'arn:aws:ecs:us-east-1:000000000000:task-definition/worker:7', 'team', 'orders', 1795274051204056);
INSERT INTO old.schema_version VALUES (1, 1795274050196844);
INSERT INTO old.services OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'arn:aws:ecs:us-east-1:000000000000:service/shop/web', '3b086bca-240a-42ca-86f5-faba6fe14366', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'web', 'ACTIVE', 2, 0, 0, 'web:1', 'FARGATE', 'LATEST', NULL, NULL, 'REPLICA', '{
    "deploymentCircuitBreaker": {"enable": true, "rollback": true},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100
  }', NULL, NULL, NULL, NULL, '[
    {
      "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/6d0ecf831eec9f09",
      "containerName": "nginx",
      "containerPort": 8080
    }
  ]', NULL, '{
    "awsvpcConfiguration": {"subnets": ["subnet-0a1", "subnet-0b2"], "securityGroups": ["sg-0c3"], "assignPublicIp": "ENABLED"}
  }', NULL, NULL, NULL, NULL, NULL, 30, true, false, 'SERVICE', NULL, '[{"key": "team", "value": "storefront"}]', NULL, NULL, NULL, NULL, false, false, NULL, 1795274051157554, 1795274051157554, 1, 'us-east-1', '000000000000', '{"cluster":"shop"}', 536879296);
INSERT INTO old.services OVERRIDING SYSTEM VALUE VALUES ('default', 2, 'arn:aws:ecs:us-east-1:000000000000:service/shop/api', 'ef5e19bf-f57f-43ba-9139-e528dca286a6', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'api', 'ACTIVE', 3, 2, 1, 'arn:aws:ecs:us-east-1:000000000000:task-definition/api:1', 'FARGATE', NULL, NULL, NULL, 'REPLICA', '{"maximumPercent": 200, "minimumHealthyPercent": 50}', NULL, '[
        {
          "id": "ecs-svc/4201323268728819917",
          "status": "PRIMARY",
          "taskDefinition": "arn:aws:ecs:us-east-1:000000000000:task-definition/api:1",
          "desiredCount": 3,
          "pendingCount": 1,
          "runningCount": 2,
          "createdAt": 1717236000.25,
          "rolloutState": "IN_PROGRESS"
        }
      ]', NULL, '[{"id": "e1", "createdAt": 1717236012.5, "message": "(service api) has started 2 tasks."}]', '[]', '[{"registryArn": "arn:aws:servicediscovery:us-east-1:000000000000:service/srv-api"}]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false, 'NONE', NULL, NULL, NULL, NULL, NULL, NULL, false, false, NULL, 1717236000250000, 1795274051172286, 1, 'us-east-1', '000000000000', NULL, 536870912);
INSERT INTO old.services OVERRIDING SYSTEM VALUE VALUES ('default', 3, 'arn:aws:ecs:us-east-1:000000000000:service/shop/worker', '95375243-4bd9-4ff4-a2d6-19af9c313fd7', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'worker', 'ACTIVE', 1, 1, 0, 'arn:aws:ecs:us-east-1:000000000000:task-definition/worker:7', 'EC2', NULL, NULL, NULL, 'DAEMON', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '[{"type": "distinctInstance"}]', NULL, NULL, false, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false, NULL, 1717236100750000, 1795274051172286, 1, 'us-east-1', '000000000000', NULL, 805306368);
INSERT INTO old.task_definition_families VALUES ('default', '000000000000', 'us-east-1', 'api', 1);
INSERT INTO old.task_definition_families VALUES ('default', '000000000000', 'us-east-1', 'web', 1);
INSERT INTO old.task_definition_families VALUES ('default', '000000000000', 'us-east-1', 'worker', 7);
INSERT INTO old.task_definition_families VALUES ('default', '000000000000', 'us-east-1', 'gone', 1);
INSERT INTO old.task_definitions OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'arn:aws:ecs:us-east-1:000000000000:task-definition/api:1', '9d5aaae5-4649-472e-86ef-89f81830da6e', 'api', 1, 'ACTIVE', NULL, 'arn:aws:iam::000000000000:role/ecs-agent', 'awsvpc', '[
    {
      "name": "api",
      "image": "registry.example/shop/api:2.14.1",
      "essential": true,
      "portMappings": [{"containerPort": 9000}],
      "secrets": [{"name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:us-east-1:000000000000:parameter/shop/db"}],
      "dependsOn": [{"containerName": "proxy", "condition": "START"}]
    },
    {"name": "proxy", "image": "registry.example/mesh/proxy:1.9", "essential": false, "memoryReservation": 64}
  ]', '[{"name": "cache", "host": {}}]', NULL, '["FARGATE", "EC2"]', NULL, '1 vCPU', '2 GB', NULL, NULL, NULL, NULL, '{"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}', '{"sizeInGiB": 30}', NULL, false, NULL, 1795274051189930, NULL, NULL, 1795274051189930, 1, 'us-east-1', '000000000000', NULL, 4194304);
INSERT INTO old.task_definitions OVERRIDING SYSTEM VALUE VALUES ('default', 2, 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1', '6089d89e-d9bc-4591-bc84-c9518604bb80', 'web', 1, 'ACTIVE', 'arn:aws:iam::000000000000:role/shop-web', 'arn:aws:iam::000000000000:role/ecs-agent', 'awsvpc', '[
    {
      "name": "nginx",
      "image": "registry.example/shop/web:5.2.0",
      "essential": true,
      "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
      "environment": [{"name": "API_URL", "value": "http://api.shop.internal:9000"}],
      "healthCheck": {"command": ["CMD-SHELL", "wget -q -O - http://127.0.0.1:8080/health"], "interval": 15, "retries": 3},
      "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/shop/web", "awslogs-region": "us-east-1"}}
    }
  ]', NULL, NULL, '["FARGATE"]', NULL, '512', '1024', NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '[{"key": "team", "value": "storefront"}]', 1795274051203018, NULL, NULL, 1795274051203018, 1, 'us-east-1', '000000000000', NULL, 4194304);
INSERT INTO old.task_definitions OVERRIDING SYSTEM VALUE VALUES ('default', 3, 'arn:aws:ecs:us-east-1:000000000000:task-definition/worker:7', '647d7068-bf47-4d9a-b647-8d42351090f0', 'worker', 7, 'ACTIVE', NULL, NULL, 'bridge', '[
      {
        "name": "worker",
        "image": "registry.example/shop/worker:0.9",
        "cpu": 256,
        "memory": 512,
        "essential": true,
        "command": ["worker", "--queue", "orders", "--greeting", "Grüße, 世界"],
        "mountPoints": [],
        "volumesFrom": []
      }
    ]', '[]', '[{"type": "memberOf", "expression": "attribute:stack == production"}]', '["EC2"]', '["EXTERNAL", "EC2"]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '[{"key": "team", "value": "orders"}]', 1717232400482000, 'arn:aws:iam::000000000000:user/deploy', NULL, 1795274051204056, 1, 'us-east-1', '000000000000', NULL, 4194304);
INSERT INTO old.task_definitions OVERRIDING SYSTEM VALUE VALUES ('default', 4, 'arn:aws:ecs:us-east-1:000000000000:task-definition/gone:1', 'bac988f3-1a01-4e45-83e1-7948ce216f4e', 'gone', 1, 'ACTIVE', NULL, NULL, 'bridge', '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, 1795274051470968, NULL, NULL, 1795274051470968, 1, 'us-east-1', '000000000000', NULL, 4194432);
INSERT INTO old.tasks OVERRIDING SYSTEM VALUE VALUES ('default', 1, 'arn:aws:ecs:us-east-1:000000000000:task/shop/5a0e1b2c3d4f60718293a4b5c7e8fa01', '5a0e1b2c3d4f60718293a4b5c7e8fa01', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1', NULL, NULL, '[{"name": "nginx", "lastStatus": "RUNNING", "networkInterfaces": [{"privateIpv4Address": "10.0.1.11"}]}]', 'RUNNING', 'RUNNING', '512', '1024', 'FARGATE', NULL, NULL, NULL, NULL, 'service:web', 'ecs-svc/web', 1717236337125000, NULL, NULL, NULL, NULL, 'CONNECTED', NULL, NULL, NULL, NULL, 'HEALTHY', NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, 'web', 1717236307500000, 1795274051205631, 3, 'us-east-1', '000000000000', NULL, 34359738368);
INSERT INTO old.tasks OVERRIDING SYSTEM VALUE VALUES ('default', 2, 'arn:aws:ecs:us-east-1:000000000000:task/shop/5a0e1b2c3d4f60718293a4b5c8fa0b12', '5a0e1b2c3d4f60718293a4b5c8fa0b12', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1', NULL, NULL, '[{"name": "nginx", "lastStatus": "RUNNING", "networkInterfaces": [{"privateIpv4Address": "10.0.1.12"}]}]', 'RUNNING', 'RUNNING', '512', '1024', 'FARGATE', NULL, NULL, NULL, NULL, 'service:web', 'ecs-svc/web', 1717236344125000, NULL, NULL, NULL, NULL, 'CONNECTED', NULL, NULL, NULL, NULL, 'UNHEALTHY', NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, 'web', 1717236314500000, 1795274051205631, 3, 'us-east-1', '000000000000', NULL, 34359738368);
INSERT INTO old.tasks OVERRIDING SYSTEM VALUE VALUES ('default', 3, 'arn:aws:ecs:us-east-1:000000000000:task/shop/5a0e1b2c3d4f60718293a4b5ca0b1c23', '5a0e1b2c3d4f60718293a4b5ca0b1c23', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'arn:aws:ecs:us-east-1:000000000000:task-definition/api:1', NULL, NULL, '[{"name": "api", "lastStatus": "RUNNING", "networkInterfaces": [{"privateIpv4Address": "10.0.1.13"}]}]', 'RUNNING', 'RUNNING', '512', '1024', 'FARGATE', NULL, NULL, NULL, NULL, 'service:api', 'ecs-svc/api', 1717236351125000, NULL, NULL, NULL, NULL, 'CONNECTED', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, 'api', 1717236321500000, 1795274051205631, 3, 'us-east-1', '000000000000', NULL, 34359738368);
INSERT INTO old.tasks OVERRIDING SYSTEM VALUE VALUES ('default', 4, 'arn:aws:ecs:us-east-1:000000000000:task/shop/5a0e1b2c3d4f60718293a4b5cb1c2d34', '5a0e1b2c3d4f60718293a4b5cb1c2d34', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'arn:aws:ecs:us-east-1:000000000000:task-definition/api:1', NULL, NULL, '[{"name": "api", "lastStatus": "RUNNING", "networkInterfaces": [{"privateIpv4Address": "10.0.1.14"}]}]', 'RUNNING', 'RUNNING', '512', '1024', 'FARGATE', NULL, NULL, NULL, NULL, 'service:api', 'ecs-svc/api', 1717236358125000, NULL, NULL, NULL, NULL, 'CONNECTED', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, 'api', 1717236328500000, 1795274051205631, 3, 'us-east-1', '000000000000', NULL, 34359738368);
INSERT INTO old.tasks OVERRIDING SYSTEM VALUE VALUES ('default', 5, 'arn:aws:ecs:us-east-1:000000000000:task/shop/5a0e1b2c3d4f60718293a4b5cc2d3e45', '5a0e1b2c3d4f60718293a4b5cc2d3e45', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'arn:aws:ecs:us-east-1:000000000000:task-definition/api:1', NULL, NULL, '[{"name": "api", "lastStatus": "PENDING", "networkInterfaces": [{"privateIpv4Address": "10.0.1.15"}]}]', 'PENDING', 'RUNNING', '512', '1024', 'FARGATE', NULL, NULL, NULL, NULL, 'service:api', 'ecs-svc/api', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, 'api', 1717236335500000, 1795274051205631, 3, 'us-east-1', '000000000000', NULL, 34359738368);
INSERT INTO old.tasks OVERRIDING SYSTEM VALUE VALUES ('default', 6, 'arn:aws:ecs:us-east-1:000000000000:task/shop/5a0e1b2c3d4f60718293a4b5cd3e4f56', '5a0e1b2c3d4f60718293a4b5cd3e4f56', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'arn:aws:ecs:us-east-1:000000000000:task-definition/worker:7', NULL, 'arn:aws:ecs:us-east-1:000000000000:container-instance/shop/0a51f6d2c9b74e3fa1b0c2d3e4f50617', '[{"name": "worker", "lastStatus": "RUNNING", "networkInterfaces": [{"privateIpv4Address": "10.0.1.16"}]}]', 'RUNNING', 'RUNNING', '512', '1024', 'EC2', NULL, NULL, NULL, NULL, 'service:worker', 'ecs-svc/worker', 1717236372125000, NULL, NULL, NULL, NULL, 'CONNECTED', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, 'worker', 1717236342500000, 1795274051205631, 3, 'us-east-1', '000000000000', NULL, 34359738368);
INSERT INTO old.tasks OVERRIDING SYSTEM VALUE VALUES ('default', 7, 'arn:aws:ecs:us-east-1:000000000000:task/shop/5a0e1b2c3d4f60718293a4b5ce4f6067', '5a0e1b2c3d4f60718293a4b5ce4f6067', 'arn:aws:ecs:us-east-1:000000000000:cluster/shop', 'arn:aws:ecs:us-east-1:000000000000:task-definition/worker:7', NULL, 'arn:aws:ecs:us-east-1:000000000000:container-instance/shop/0b62a7e3dac85f40b2c1d3e4f5061728', '[{"name": "worker", "lastStatus": "STOPPED", "networkInterfaces": [{"privateIpv4Address": "10.0.1.17"}]}]', 'STOPPED', 'STOPPED', '512', '1024', 'EC2', NULL, NULL, NULL, NULL, 'service:worker', 'ecs-svc/worker', 1717236379125000, 1717239000000000, 1717239004750000, 'EssentialContainerExited', 'Essential container in task exited', 'CONNECTED', NULL, NULL, NULL, 1717239003500000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, 'worker', 1717236349500000, 1795274051250372, 3, 'us-east-1', '000000000000', NULL, 34359738368);
SELECT pg_catalog.setval('old.account_settings_rid_seq', 2, true);
SELECT pg_catalog.setval('old.attributes_rid_seq', 2, true);
SELECT pg_catalog.setval('old.clusters_rid_seq', 2, true);
SELECT pg_catalog.setval('old.container_instances_rid_seq', 2, true);
SELECT pg_catalog.setval('old.elbv2_listeners_rid_seq', 1, true);
SELECT pg_catalog.setval('old.elbv2_load_balancers_rid_seq', 1, true);
SELECT pg_catalog.setval('old.elbv2_rules_rid_seq', 3, true);
SELECT pg_catalog.setval('old.elbv2_target_groups_rid_seq', 2, true);
SELECT pg_catalog.setval('old.elbv2_targets_rid_seq', 2, true);
SELECT pg_catalog.setval('old.events_rid_seq', 1, false);
SELECT pg_catalog.setval('old.node_tasks_rid_seq', 1, false);
SELECT pg_catalog.setval('old.nodes_rid_seq', 1, false);
SELECT pg_catalog.setval('old.resource_tags_rid_seq', 7, true);
SELECT pg_catalog.setval('old.services_rid_seq', 3, true);
SELECT pg_catalog.setval('old.task_definitions_rid_seq', 4, true);
SELECT pg_catalog.setval('old.task_logs_rid_seq', 1, false);
SELECT pg_catalog.setval('old.task_sets_rid_seq', 1, false);
SELECT pg_catalog.setval('old.tasks_rid_seq', 7, true);
ALTER TABLE ONLY old.account_settings
    ADD CONSTRAINT account_settings_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.account_settings
    ADD CONSTRAINT account_settings_tenant_id_key UNIQUE (tenant, id);
ALTER TABLE ONLY old.account_settings
    ADD CONSTRAINT account_settings_tenant_principal_arn_name_key UNIQUE (tenant, principal_arn, name);
ALTER TABLE ONLY old.attributes
    ADD CONSTRAINT attributes_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.attributes
    ADD CONSTRAINT attributes_tenant_cluster_target_type_target_id_name_key UNIQUE (tenant, cluster, target_type, target_id, name);
ALTER TABLE ONLY old.attributes
    ADD CONSTRAINT attributes_tenant_id_key UNIQUE (tenant, id);
ALTER TABLE ONLY old.clusters
    ADD CONSTRAINT clusters_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.clusters
    ADD CONSTRAINT clusters_tenant_account_id_region_name_key UNIQUE (tenant, account_id, region, name);
ALTER TABLE ONLY old.clusters
    ADD CONSTRAINT clusters_tenant_arn_key UNIQUE (tenant, arn);
ALTER TABLE ONLY old.clusters
    ADD CONSTRAINT clusters_tenant_id_key UNIQUE (tenant, id);
ALTER TABLE ONLY old.container_instances
    ADD CONSTRAINT container_instances_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.container_instances
    ADD CONSTRAINT container_instances_tenant_arn_key UNIQUE (tenant, arn);
ALTER TABLE ONLY old.container_instances
    ADD CONSTRAINT container_instances_tenant_id_key UNIQUE (tenant, id);
ALTER TABLE ONLY old.elbv2_associations
    ADD CONSTRAINT elbv2_associations_pkey PRIMARY KEY (tenant, target_group_arn, load_balancer_arn, listener_arn);
ALTER TABLE ONLY old.elbv2_listeners
    ADD CONSTRAINT elbv2_listeners_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.elbv2_listeners
    ADD CONSTRAINT elbv2_listeners_tenant_arn_key UNIQUE (tenant, arn);
ALTER TABLE ONLY old.elbv2_load_balancers
    ADD CONSTRAINT elbv2_load_balancers_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.elbv2_load_balancers
    ADD CONSTRAINT elbv2_load_balancers_tenant_account_id_region_name_key UNIQUE (tenant, account_id, region, name);
ALTER TABLE ONLY old.elbv2_load_balancers
    ADD CONSTRAINT elbv2_load_balancers_tenant_arn_key UNIQUE (tenant, arn);
ALTER TABLE ONLY old.elbv2_rules
    ADD CONSTRAINT elbv2_rules_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.elbv2_rules
    ADD CONSTRAINT elbv2_rules_tenant_arn_key UNIQUE (tenant, arn);
ALTER TABLE ONLY old.elbv2_rules
    ADD CONSTRAINT elbv2_rules_tenant_listener_arn_priority_key UNIQUE (tenant, listener_arn, priority);
ALTER TABLE ONLY old.elbv2_target_groups
    ADD CONSTRAINT elbv2_target_groups_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.elbv2_target_groups
    ADD CONSTRAINT elbv2_target_groups_tenant_account_id_region_name_key UNIQUE (tenant, account_id, region, name);
ALTER TABLE ONLY old.elbv2_target_groups
    ADD CONSTRAINT elbv2_target_groups_tenant_arn_key UNIQUE (tenant, arn);
ALTER TABLE ONLY old.elbv2_targets
    ADD CONSTRAINT elbv2_targets_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.elbv2_targets
    ADD CONSTRAINT elbv2_targets_tenant_target_group_arn_id_port_key UNIQUE (tenant, target_group_arn, id, port);
ALTER TABLE ONLY old.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.events
    ADD CONSTRAINT events_tenant_id_key UNIQUE (tenant, id);
ALTER TABLE ONLY old.node_tasks
    ADD CONSTRAINT node_tasks_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.node_tasks
    ADD CONSTRAINT node_tasks_tenant_id_key UNIQUE (tenant, id);
ALTER TABLE ONLY old.nodes
    ADD CONSTRAINT nodes_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.nodes
    ADD CONSTRAINT nodes_tenant_id_key UNIQUE (tenant, id);
ALTER TABLE ONLY old.resource_tags
    ADD CONSTRAINT resource_tags_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.resource_tags
    ADD CONSTRAINT resource_tags_tenant_resource_arn_key_key UNIQUE (tenant, resource_arn, key);
ALTER TABLE ONLY old.services
    ADD CONSTRAINT services_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.services
    ADD CONSTRAINT services_tenant_arn_key UNIQUE (tenant, arn);
ALTER TABLE ONLY old.services
    ADD CONSTRAINT services_tenant_cluster_arn_name_key UNIQUE (tenant, cluster_arn, name);
ALTER TABLE ONLY old.services
    ADD CONSTRAINT services_tenant_id_key UNIQUE (tenant, id);
ALTER TABLE ONLY old.task_definition_families
    ADD CONSTRAINT task_definition_families_pkey PRIMARY KEY (tenant, account_id, region, family);
ALTER TABLE ONLY old.task_definitions
    ADD CONSTRAINT task_definitions_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.task_definitions
    ADD CONSTRAINT task_definitions_tenant_account_id_region_family_revision_key UNIQUE (tenant, account_id, region, family, revision);
ALTER TABLE ONLY old.task_definitions
    ADD CONSTRAINT task_definitions_tenant_arn_key UNIQUE (tenant, arn);
ALTER TABLE ONLY old.task_definitions
    ADD CONSTRAINT task_definitions_tenant_id_key UNIQUE (tenant, id);
ALTER TABLE ONLY old.task_logs
    ADD CONSTRAINT task_logs_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.task_logs
    ADD CONSTRAINT task_logs_tenant_id_key UNIQUE (tenant, id);
ALTER TABLE ONLY old.task_sets
    ADD CONSTRAINT task_sets_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.task_sets
    ADD CONSTRAINT task_sets_tenant_arn_key UNIQUE (tenant, arn);
ALTER TABLE ONLY old.task_sets
    ADD CONSTRAINT task_sets_tenant_service_arn_id_key UNIQUE (tenant, service_arn, id);
ALTER TABLE ONLY old.tasks
    ADD CONSTRAINT tasks_pkey PRIMARY KEY (tenant, rid);
ALTER TABLE ONLY old.tasks
    ADD CONSTRAINT tasks_tenant_arn_key UNIQUE (tenant, arn);
ALTER TABLE ONLY old.tasks
    ADD CONSTRAINT tasks_tenant_id_key UNIQUE (tenant, id);
CREATE INDEX account_settings_defaults ON old.account_settings USING btree (tenant, is_default, name);
CREATE INDEX account_settings_ordered ON old.account_settings USING btree (tenant, name, principal_arn);
CREATE INDEX attributes_cluster ON old.attributes USING btree (tenant, cluster, name, target_id, target_type);
CREATE INDEX attributes_ordered ON old.attributes USING btree (tenant, name, target_id, cluster, target_type);
CREATE INDEX clusters_newest ON old.clusters USING btree (tenant, created_at DESC, arn);
CREATE INDEX clusters_status ON old.clusters USING btree (tenant, status);
CREATE INDEX container_instances_cluster ON old.container_instances USING btree (tenant, cluster_arn, registered_at DESC, arn);
CREATE INDEX container_instances_ec2_instance ON old.container_instances USING btree (tenant, ec2_instance_id) WHERE (ec2_instance_id IS NOT NULL);
CREATE INDEX container_instances_newest ON old.container_instances USING btree (tenant, registered_at DESC, arn);
CREATE INDEX container_instances_status ON old.container_instances USING btree (tenant, status, cluster_arn);
CREATE INDEX elbv2_associations_listener ON old.elbv2_associations USING btree (tenant, listener_arn) WHERE (listener_arn <> ''::text);
CREATE INDEX elbv2_associations_load_balancer ON old.elbv2_associations USING btree (tenant, load_balancer_arn, target_group_arn);
CREATE INDEX elbv2_listeners_load_balancer ON old.elbv2_listeners USING btree (tenant, load_balancer_arn, port, arn);
CREATE INDEX elbv2_load_balancers_newest ON old.elbv2_load_balancers USING btree (tenant, created_at DESC, arn);
CREATE INDEX elbv2_load_balancers_region ON old.elbv2_load_balancers USING btree (tenant, region, created_at DESC, arn);
CREATE INDEX elbv2_target_groups_newest ON old.elbv2_target_groups USING btree (tenant, created_at DESC, arn);
CREATE INDEX elbv2_target_groups_region ON old.elbv2_target_groups USING btree (tenant, region, created_at DESC, arn);
CREATE INDEX elbv2_targets_newest ON old.elbv2_targets USING btree (tenant, registered_at DESC, target_group_arn, id, port);
CREATE INDEX elbv2_targets_target_group ON old.elbv2_targets USING btree (tenant, target_group_arn, registered_at DESC, id, port);
CREATE INDEX events_correlation ON old.events USING btree (tenant, correlation_id, "timestamp" DESC, id) WHERE (correlation_id IS NOT NULL);
CREATE INDEX events_newest ON old.events USING btree (tenant, "timestamp" DESC, id);
CREATE INDEX events_resource ON old.events USING btree (tenant, resource_arn, "timestamp" DESC, id);
CREATE INDEX events_type ON old.events USING btree (tenant, event_type, "timestamp" DESC, id);
CREATE INDEX node_tasks_newest ON old.node_tasks USING btree (tenant, created_at DESC, id);
CREATE INDEX node_tasks_node ON old.node_tasks USING btree (tenant, node_id) WHERE (node_id IS NOT NULL);
CREATE INDEX node_tasks_status ON old.node_tasks USING btree (tenant, status, finished_at DESC);
CREATE INDEX nodes_newest ON old.nodes USING btree (tenant, last_heartbeat DESC, id);
CREATE INDEX nodes_status ON old.nodes USING btree (tenant, status, last_heartbeat DESC, id);
CREATE INDEX resource_tags_value ON old.resource_tags USING btree (tenant, key, value, resource_arn);
CREATE INDEX services_cluster ON old.services USING btree (tenant, cluster_arn, created_at DESC, arn);
CREATE INDEX services_newest ON old.services USING btree (tenant, created_at DESC, arn);
CREATE INDEX services_status ON old.services USING btree (tenant, status, cluster_arn);
CREATE INDEX services_task_definition ON old.services USING btree (tenant, task_definition);
CREATE INDEX task_definitions_newest ON old.task_definitions USING btree (tenant, registered_at DESC, arn);
CREATE INDEX task_definitions_status ON old.task_definitions USING btree (tenant, account_id, region, family, status, revision);
CREATE INDEX task_logs_newest ON old.task_logs USING btree (tenant, "timestamp" DESC, id);
CREATE INDEX task_logs_retention ON old.task_logs USING btree (tenant, created_at DESC);
CREATE INDEX task_logs_task ON old.task_logs USING btree (tenant, task_arn, "timestamp" DESC, id);
CREATE INDEX task_sets_cluster ON old.task_sets USING btree (tenant, cluster_arn);
CREATE INDEX task_sets_newest ON old.task_sets USING btree (tenant, created_at DESC, arn);
CREATE INDEX task_sets_service ON old.task_sets USING btree (tenant, service_arn, created_at DESC, arn);
CREATE INDEX tasks_cluster ON old.tasks USING btree (tenant, cluster_arn, created_at DESC, arn);
CREATE INDEX tasks_desired_status ON old.tasks USING btree (tenant, desired_status, created_at DESC);
CREATE INDEX tasks_family ON old.tasks USING btree (tenant, family, created_at DESC);
CREATE INDEX tasks_instance ON old.tasks USING btree (tenant, container_instance_arn, created_at DESC) WHERE (container_instance_arn IS NOT NULL);
CREATE INDEX tasks_last_status ON old.tasks USING btree (tenant, last_status, created_at DESC, stopped_at DESC);
CREATE INDEX tasks_newest ON old.tasks USING btree (tenant, created_at DESC, arn);
CREATE UNIQUE INDEX tasks_pod_key ON old.tasks USING btree (tenant, k8s_namespace, pod_name) WHERE ((k8s_namespace <> ''::text) AND (pod_name <> ''::text));
CREATE INDEX tasks_service ON old.tasks USING btree (tenant, service_arn, created_at DESC) WHERE (service_arn IS NOT NULL);
CREATE INDEX tasks_started_by ON old.tasks USING btree (tenant, started_by, created_at DESC) WHERE (started_by IS NOT NULL);
CREATE INDEX tasks_stopped ON old.tasks USING btree (tenant, stopped_at DESC) WHERE (stopped_at IS NOT NULL);
CREATE INDEX tasks_task_group ON old.tasks USING btree (tenant, task_group, created_at DESC) WHERE (task_group IS NOT NULL);
ALTER TABLE ONLY old.container_instances
    ADD CONSTRAINT container_instances_tenant_cluster_arn_fkey FOREIGN KEY (tenant, cluster_arn) REFERENCES old.clusters(tenant, arn) ON DELETE CASCADE;
ALTER TABLE ONLY old.elbv2_listeners
    ADD CONSTRAINT elbv2_listeners_tenant_load_balancer_arn_fkey FOREIGN KEY (tenant, load_balancer_arn) REFERENCES old.elbv2_load_balancers(tenant, arn) ON DELETE CASCADE;
ALTER TABLE ONLY old.elbv2_rules
    ADD CONSTRAINT elbv2_rules_tenant_listener_arn_fkey FOREIGN KEY (tenant, listener_arn) REFERENCES old.elbv2_listeners(tenant, arn) ON DELETE CASCADE;
ALTER TABLE ONLY old.elbv2_targets
    ADD CONSTRAINT elbv2_targets_tenant_target_group_arn_fkey FOREIGN KEY (tenant, target_group_arn) REFERENCES old.elbv2_target_groups(tenant, arn) ON DELETE CASCADE;
ALTER TABLE ONLY old.services
    ADD CONSTRAINT services_tenant_cluster_arn_fkey FOREIGN KEY (tenant, cluster_arn) REFERENCES old.clusters(tenant, arn) ON DELETE CASCADE;
ALTER TABLE ONLY old.tasks
    ADD CONSTRAINT tasks_tenant_cluster_arn_fkey FOREIGN KEY (tenant, cluster_arn) REFERENCES old.clusters(tenant, arn) ON DELETE CASCADE;
ALTER TABLE ONLY old.tasks
    ADD CONSTRAINT tasks_tenant_service_arn_fkey FOREIGN KEY (tenant, service_arn) REFERENCES old.services(tenant, arn);
