//! Experiments through real Kafka: started by command, counted, judged, decided, deployed once, whatever is killed meanwhile.

mod ab;
mod bandit;
mod canary;
mod course;
mod day;
mod predicted;
mod shadow;
mod world;
