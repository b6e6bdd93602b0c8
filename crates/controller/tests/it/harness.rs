//! What the stories are told with: a cluster, what is in it, and an operator that can be killed.

mod cluster;
mod operator;
mod scene;

pub(crate) use self::{
    cluster::{Cluster, grant, permissions},
    operator::{OPERATOR, Operator},
    scene::{Script, delivered, endpoint, order, order_of, secret, set, template},
};
