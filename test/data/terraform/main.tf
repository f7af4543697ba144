# What test/e2e/terraform.test.ts applies, changes and destroys: one resource of each kind that the APIs here can hold.
terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}
provider "openstack" {}
# "two" in a second application: names, descriptions, tags, metadata, quotas and power states change.
variable "n" { default = "one" }
variable "size" { default = 1 }
variable "flavor" { default = "one" }

data "openstack_identity_auth_scope_v3" "me" { name = "me" }
resource "openstack_identity_project_v3" "p" {
  name        = "tf-${var.n}"
  description = "d"
}
resource "openstack_images_image_v2" "img" {
  name             = "tf-img-${var.n}"
  local_file_path  = "${path.module}/image.raw"
  container_format = "bare"
  disk_format      = "raw"
  min_disk_gb      = 1
  tags             = ["t1", var.n]
  properties       = { hw_rng_model = "virtio" }
}
resource "openstack_compute_flavor_v2" "small" {
  name        = "tf.small"
  ram         = 128
  vcpus       = 1
  disk        = 1
  is_public   = true
  extra_specs = { "hw_rng:allowed" = "true" }
}
resource "openstack_compute_flavor_v2" "big" {
  name      = "tf.big"
  ram       = 256
  vcpus     = 1
  disk      = 2
  is_public = true
}
resource "openstack_compute_flavor_access_v2" "acc" {
  tenant_id = openstack_identity_project_v3.p.id
  flavor_id = openstack_compute_flavor_v2.priv.id
}
resource "openstack_compute_flavor_v2" "priv" {
  name  = "tf.priv"
  ram   = 64
  vcpus = 1
  disk  = 1
}
resource "openstack_compute_keypair_v2" "key" { name = "tf-key" }
resource "openstack_compute_servergroup_v2" "grp" {
  name     = "tf-grp"
  policies = ["soft-anti-affinity"]
}
resource "openstack_compute_aggregate_v2" "agg" {
  name     = "tf-agg-${var.n}"
  metadata = { x = var.n }
}
resource "openstack_compute_quotaset_v2" "q" {
  project_id           = openstack_identity_project_v3.p.id
  instances            = var.n == "one" ? 5 : 6
  cores                = 20
  ram                  = 4096
  key_pairs            = 10
  server_groups        = 4
  server_group_members = 6
}
resource "openstack_blockstorage_quotaset_v3" "bq" {
  project_id           = openstack_identity_project_v3.p.id
  volumes              = var.n == "one" ? 5 : 6
  gigabytes            = 100
  snapshots            = 4
  per_volume_gigabytes = 50
  backups              = 4
  backup_gigabytes     = 10
  groups               = 10
}
resource "openstack_networking_quota_v2" "nq" {
  project_id          = openstack_identity_project_v3.p.id
  network             = 4
  port                = var.n == "one" ? 50 : 60
  router              = 4
  floatingip          = 5
  security_group      = 10
  security_group_rule = 100
  subnet              = 10
  subnetpool          = 2
}
resource "openstack_networking_network_v2" "net" {
  name           = "tf-net"
  admin_state_up = true
  tags           = ["a", var.n]
}
resource "openstack_networking_network_v2" "ext" {
  name           = "tf-ext"
  external       = true
  admin_state_up = true
}
resource "openstack_networking_subnet_v2" "extsub" {
  name        = "tf-extsub"
  network_id  = openstack_networking_network_v2.ext.id
  cidr        = "203.0.113.0/24"
  enable_dhcp = false
}
resource "openstack_networking_subnetpool_v2" "pool" {
  name              = "tf-pool"
  prefixes          = ["10.80.0.0/16"]
  default_prefixlen = 24
}
resource "openstack_networking_subnet_v2" "sub" {
  name            = "tf-sub-${var.n}"
  network_id      = openstack_networking_network_v2.net.id
  cidr            = "192.168.77.0/24"
  ip_version      = 4
  dns_nameservers = ["9.9.9.9"]
  allocation_pool {
    start = "192.168.77.10"
    end   = "192.168.77.200"
  }
}
resource "openstack_networking_subnet_v2" "sub2" {
  name          = "tf-sub2"
  network_id    = openstack_networking_network_v2.net2.id
  subnetpool_id = openstack_networking_subnetpool_v2.pool.id
}
resource "openstack_networking_subnet_route_v2" "sr" {
  subnet_id        = openstack_networking_subnet_v2.sub.id
  destination_cidr = "10.9.0.0/16"
  next_hop         = "192.168.77.254"
}
resource "openstack_networking_router_v2" "r" {
  name                = "tf-r-${var.n}"
  external_network_id = openstack_networking_network_v2.ext.id
  depends_on          = [openstack_networking_subnet_v2.extsub]
}
resource "openstack_networking_router_interface_v2" "ri" {
  router_id = openstack_networking_router_v2.r.id
  subnet_id = openstack_networking_subnet_v2.sub.id
}
resource "openstack_networking_router_route_v2" "rr" {
  router_id        = openstack_networking_router_v2.r.id
  destination_cidr = "10.99.0.0/16"
  next_hop         = "192.168.77.253"
  depends_on       = [openstack_networking_router_interface_v2.ri]
}
resource "openstack_networking_secgroup_v2" "sg" {
  name        = "tf-sg-${var.n}"
  description = "x"
  tags        = ["sg"]
}
resource "openstack_networking_secgroup_rule_v2" "ssh" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 22
  port_range_max    = 22
  remote_ip_prefix  = "0.0.0.0/0"
  security_group_id = openstack_networking_secgroup_v2.sg.id
}
resource "openstack_networking_address_group_v2" "ag" {
  name      = "tf-ag"
  addresses = ["10.1.0.0/24", var.n == "one" ? "10.2.0.0/24" : "10.3.0.0/24"]
}
resource "openstack_networking_port_v2" "port" {
  name               = "tf-port"
  network_id         = openstack_networking_network_v2.net.id
  security_group_ids = [openstack_networking_secgroup_v2.sg.id]
  fixed_ip {
    subnet_id  = openstack_networking_subnet_v2.sub.id
    ip_address = "192.168.77.50"
  }
  allowed_address_pairs { ip_address = "192.168.77.99" }
  admin_state_up = true
}
resource "openstack_networking_port_v2" "port2" {
  name       = "tf-port2"
  network_id = openstack_networking_network_v2.net.id
  fixed_ip { subnet_id = openstack_networking_subnet_v2.sub.id }
}
resource "openstack_networking_port_secgroup_associate_v2" "psa" {
  port_id            = openstack_networking_port_v2.port2.id
  security_group_ids = [openstack_networking_secgroup_v2.sg.id]
}
resource "openstack_networking_floatingip_v2" "fip" {
  pool        = openstack_networking_network_v2.ext.name
  description = var.n
  depends_on  = [openstack_networking_subnet_v2.extsub]
}
resource "openstack_networking_floatingip_associate_v2" "fa" {
  floating_ip = openstack_networking_floatingip_v2.fip.address
  port_id     = openstack_networking_port_v2.port.id
  depends_on  = [openstack_networking_router_interface_v2.ri]
}
resource "openstack_networking_rbac_policy_v2" "rbac" {
  action        = "access_as_shared"
  object_id     = openstack_networking_network_v2.net.id
  object_type   = "network"
  target_tenant = openstack_identity_project_v3.p.id
}
resource "openstack_compute_instance_v2" "s1" {
  name      = "tf-s1-${var.n}"
  image_id  = openstack_images_image_v2.img.id
  flavor_id = var.flavor == "one" ? openstack_compute_flavor_v2.small.id : openstack_compute_flavor_v2.big.id
  key_pair  = openstack_compute_keypair_v2.key.name
  user_data = "#cloud-config\n{}\n"
  metadata  = { a = "b", n = var.n }
  tags      = ["x", var.n]
  scheduler_hints { group = openstack_compute_servergroup_v2.grp.id }
  network { port = openstack_networking_port_v2.port.id }
}
resource "openstack_compute_instance_v2" "s2" {
  name            = "tf-s2"
  flavor_id       = openstack_compute_flavor_v2.small.id
  security_groups = [openstack_networking_secgroup_v2.sg.name]
  block_device {
    uuid                  = openstack_images_image_v2.img.id
    source_type           = "image"
    destination_type      = "volume"
    volume_size           = 1
    boot_index            = 0
    delete_on_termination = true
  }
  block_device {
    source_type           = "blank"
    destination_type      = "volume"
    volume_size           = 1
    boot_index            = 1
    delete_on_termination = true
  }
  network { uuid = openstack_networking_network_v2.net.id }
  power_state = var.n == "one" ? "active" : "shutoff"
  depends_on  = [openstack_networking_subnet_v2.sub, openstack_networking_subnet_v2.sub2]
}
resource "openstack_compute_instance_v2" "s3" {
  name      = "tf-s3"
  flavor_id = openstack_compute_flavor_v2.small.id
  block_device {
    uuid                  = openstack_blockstorage_volume_v3.boot.id
    source_type           = "volume"
    destination_type      = "volume"
    boot_index            = 0
    delete_on_termination = false
  }
  network {
    uuid        = openstack_networking_network_v2.net.id
    fixed_ip_v4 = "192.168.77.123"
  }
  depends_on = [openstack_networking_subnet_v2.sub]
}
resource "openstack_blockstorage_volume_v3" "boot" {
  name     = "tf-boot"
  size     = 1
  image_id = openstack_images_image_v2.img.id
}
resource "openstack_blockstorage_volume_v3" "v" {
  name                 = "tf-v-${var.n}"
  description          = "vol"
  size                 = var.size
  metadata             = { k = var.n }
  enable_online_resize = true
}
resource "openstack_compute_volume_attach_v2" "va" {
  instance_id = openstack_compute_instance_v2.s1.id
  volume_id   = openstack_blockstorage_volume_v3.v.id
}
resource "openstack_compute_interface_attach_v2" "ia" {
  instance_id = openstack_compute_instance_v2.s2.id
  port_id     = openstack_networking_port_v2.port3.id
}
resource "openstack_blockstorage_volume_type_v3" "vt" {
  name        = "tf-vt-${var.n}"
  extra_specs = { multiattach = "<is> True" }
}
resource "openstack_blockstorage_volume_type_access_v3" "vta" {
  project_id     = openstack_identity_project_v3.p.id
  volume_type_id = openstack_blockstorage_volume_type_v3.vtp.id
}
resource "openstack_blockstorage_volume_type_v3" "vtp" {
  name      = "tf-vtp"
  is_public = false
}
resource "openstack_blockstorage_qos_v3" "bqos" {
  name     = "tf-bqos"
  consumer = "front-end"
  specs    = { total_iops_sec = var.n == "one" ? "100" : "200" }
}
resource "openstack_blockstorage_qos_association_v3" "bqa" {
  qos_id         = openstack_blockstorage_qos_v3.bqos.id
  volume_type_id = openstack_blockstorage_volume_type_v3.vt.id
}
resource "openstack_blockstorage_volume_v3" "clone" {
  name          = "tf-clone"
  size          = 1
  source_vol_id = openstack_blockstorage_volume_v3.boot.id
}
resource "openstack_images_image_access_v2" "ia" {
  image_id  = openstack_images_image_v2.shared.id
  member_id = openstack_identity_project_v3.p.id
}
resource "openstack_images_image_v2" "shared" {
  name             = "tf-shared"
  local_file_path  = "${path.module}/image.raw"
  container_format = "bare"
  disk_format      = "raw"
  visibility       = "shared"
}
resource "openstack_identity_user_v3" "u" {
  name               = "tf-u-${var.n}"
  password           = "pw-${var.n}"
  default_project_id = openstack_identity_project_v3.p.id
}
resource "openstack_identity_role_v3" "role" { name = "tf-role-${var.n}" }
resource "openstack_identity_role_assignment_v3" "ra" {
  user_id    = openstack_identity_user_v3.u.id
  project_id = openstack_identity_project_v3.p.id
  role_id    = openstack_identity_role_v3.role.id
}
data "openstack_compute_flavor_v2" "f" {
  name       = "tf.small"
  depends_on = [openstack_compute_flavor_v2.small]
}
data "openstack_images_image_v2" "i" {
  name       = "tf-shared"
  depends_on = [openstack_images_image_v2.shared]
}
data "openstack_networking_network_v2" "n" {
  name       = "tf-ext"
  depends_on = [openstack_networking_network_v2.ext]
}
data "openstack_compute_availability_zones_v2" "z" {}
data "openstack_blockstorage_availability_zones_v3" "z" {}
data "openstack_compute_hypervisor_v2" "h" { hostname = "h1" }
data "openstack_compute_limits_v2" "l" { project_id = data.openstack_identity_auth_scope_v3.me.project_id }
output "addr" { value = openstack_compute_instance_v2.s1.access_ip_v4 }
resource "openstack_networking_network_v2" "net2" {
  name = "tf-net2"
}
resource "openstack_networking_port_v2" "port3" {
  name               = "tf-port3"
  network_id         = openstack_networking_network_v2.net2.id
  security_group_ids = [openstack_networking_secgroup_v2.sg.id]
  fixed_ip { subnet_id = openstack_networking_subnet_v2.sub2.id }
}
