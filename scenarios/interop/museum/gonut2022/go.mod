module museum/gonut2022

go 1.26.0

require github.com/robbiet480/go.nut v0.0.0-20220219091450-bd8f121e1fa1
