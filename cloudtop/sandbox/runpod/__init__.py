"""What the local RunPod is made of beside its market."""
