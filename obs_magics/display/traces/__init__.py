"""What a person sees of traces: waterfalls, latencies over time, where the time goes, who calls whom."""
