{
  "targets": [{
    "target_name": "doorsill",
    "sources": ["src/addon.c", "src/job.c", "src/values.c", "<!@(node -p \"require('fs').readdirSync('../../native/src').filter(f => f.endsWith('.c')).map(f => '../../native/src/' + f).join(' ')\")"],
    "include_dirs": ["../../native/include", "<!(node -p \"require('node-api-headers').include_dir\")"],
    "defines": ["NAPI_VERSION=8", "DOORSILL_API="],
    "cflags": ["-std=c11", "-O3", "-fvisibility=hidden", "-ffp-contract=off", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion"]
  }]
}
