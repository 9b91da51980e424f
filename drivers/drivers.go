// Package drivers lists every driver of this project. To add one, write its package and add a line
// here; nothing registers itself.
package drivers

import (
	"github.com/blackstart-ups/blackstart/drivers/apcsmart"
	"github.com/blackstart-ups/blackstart/drivers/contact"
	"github.com/blackstart-ups/blackstart/drivers/dummy"
	"github.com/blackstart-ups/blackstart/drivers/megatec"
	"github.com/blackstart-ups/blackstart/nut/driver"
)

// All is sorted by Spec.Name.
var All = []driver.Spec{
	apcsmart.Spec,
	apcsmart.Old,
	megatec.Blazer,
	megatec.BlazerUSB,
	dummy.Spec,
	contact.Spec,
	megatec.Spec,
}
