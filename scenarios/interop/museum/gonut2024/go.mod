module museum/gonut2024

go 1.26.0

require github.com/robbiet480/go.nut v0.0.0-20240622015809-60e196249c53
